"""Have PostgreSQL refuse DDL to the application's login: with an event trigger, where it may be.

The server calls it before each command of its event trigger firing matrix: not for databases, roles
and tablespaces, and not for EXPLAIN ANALYZE of what makes a table. That makes a temporary one, in
a READ ONLY transaction too, so TEMPORARY is taken from all who were not given it on purpose.
"""

import logging
from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from hedgerow import sql
from hedgerow.catalogs.ddl import DdlGuard, ddl_guard
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import RowSecurity
from hedgerow.provisioning import functions

logger = logging.getLogger("hedgerow.ddl")

TRIGGER = "rls_refuse_ddl"
FUNCTION = "rls.refuse_ddl()"


def create_statement() -> str:
    """Return the SQL that a superuser runs to have DDL refused."""
    return f"CREATE EVENT TRIGGER {TRIGGER} ON ddl_command_start EXECUTE FUNCTION {FUNCTION}"


def revoke_temporary_statement(database: str, holders: Collection[str]) -> str:
    """Return the SQL that takes TEMPORARY from roles, one of which may be "public"."""
    roles = ", ".join(map(sql.role_name, holders))
    return f"REVOKE TEMPORARY ON DATABASE {sql.name(database)} FROM {roles}"


def inspect(connection: Connection, row_security: RowSecurity, roles: Collection[str]) -> DdlGuard:
    """Return how far DDL is refused to the application, which may act as any of `roles`."""
    _, body, _ = functions.refuse_ddl_statement(row_security.roles).split("$body$")
    return ddl_guard(
        connection, trigger=TRIGGER, function=FUNCTION, body=body, roles=["public", *roles]
    )


def guard_statements(roles: RoleNames) -> Iterator[str]:
    """Return the SQL that has DDL refused, which goes as far as the role that runs it may."""
    yield _statement("refuse_ddl_trigger.sql", trigger=TRIGGER)
    yield _statement(
        "revoke_temporary.sql",
        requests=sql.text_literal(", ".join(map(sql.name, _roles_of_requests(roles)))),
        maintenance=sql.text_literal(sql.name(roles.maintenance)),
    )


def refuse_ddl(connection: Connection, row_security: RowSecurity) -> None:
    """Have DDL refused; what this role may not do is left, with the SQL for who may in a warning.

    Where schema `rls` does not exist, gives back what an upgrade has taken; the event trigger has
    gone with its function.
    """
    maintenance = row_security.roles.maintenance
    if not functions.exist(connection):
        if maintenance in inspect(connection, row_security, [maintenance]).temporary:
            literal = sql.text_literal(sql.name(maintenance))
            connection.execute(
                sql.Statement(_statement("grant_temporary.sql", maintenance=literal))
            )
        return
    roles = _roles_of_requests(row_security.roles)
    guard = inspect(connection, row_security, roles)
    if guard.fires and not guard.temporary:
        return
    for statement in guard_statements(row_security.roles):
        connection.execute(sql.Statement(statement))
    guard = inspect(connection, row_security, roles)
    if not guard.fires:
        logger.warning(
            "The owner may not create event triggers: DDL by the application's login is not"
            " refused until an administrator runs, in this database: %s;",
            create_statement(),
        )
    if guard.temporary:
        logger.warning(
            "The owner may not take TEMPORARY away: requests can make temporary tables until the"
            " owner of the database runs: %s;",
            revoke_temporary_statement(guard.database, guard.temporary),
        )


def _roles_of_requests(roles: RoleNames) -> list[str]:
    return [roles.app, *roles.taken]


def _statement(file: str, **values: str) -> str:
    return sql.fill(sql.read("hedgerow.provisioning", file), **values)
