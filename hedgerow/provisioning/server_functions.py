"""Take from PUBLIC functions of the server that reach past the policies, where that is allowed."""

import logging
from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from hedgerow import sql
from hedgerow.catalogs.server_functions import (
    LARGE_OBJECTS,
    SESSIONS,
    ServerFunction,
    names,
    server_functions,
)
from hedgerow.config.roles import RoleNames
from hedgerow.provisioning import functions

logger = logging.getLogger("hedgerow.functions")


def close_statement(roles: RoleNames) -> str:
    """Return the SQL that takes them away, as far as the role that runs it may: a superuser may."""
    return _statement("close_functions.sql", roles)


def revoke_statement(granted: Iterable[ServerFunction], role: str) -> str:
    """Return the SQL that takes EXECUTE on functions from a role, or from "public"."""
    targets = ", ".join(function.target for function in granted)
    return f"REVOKE EXECUTE ON FUNCTION {targets} FROM {sql.role_name(role)}"


def close_functions(connection: Connection, roles: RoleNames) -> None:
    """Take them from PUBLIC; where this role may not, a warning holds the SQL for a superuser.

    Where schema `rls` does not exist, gives back what an upgrade has taken.
    """
    if not functions.exist(connection):
        if _among(LARGE_OBJECTS, connection, roles.maintenance):  # none by default
            connection.execute(sql.Statement(_statement("reopen_functions.sql", roles)))
        return
    if not _open(connection):
        return
    connection.execute(sql.Statement(close_statement(roles)))
    if left := _open(connection):
        logger.warning(
            "The owner may not take functions of the server away: SQL of one user can end other"
            " users' requests, and large objects are open to all, until an administrator runs, in"
            " this database: %s;",
            revoke_statement(left, "public"),
        )


def _open(connection: Connection) -> list[ServerFunction]:
    return _among((*SESSIONS, *LARGE_OBJECTS), connection, "public")


def _among(asked: Collection[str], connection: Connection, role: str) -> list[ServerFunction]:
    return [one for one in server_functions(connection, [role]) if one.name in names(asked)]


def _statement(file: str, roles: RoleNames) -> str:
    return sql.fill(
        sql.read("hedgerow.provisioning", file),
        sessions=", ".join(SESSIONS),
        large_objects=", ".join(LARGE_OBJECTS),
        maintenance=sql.name(roles.maintenance),
    )
