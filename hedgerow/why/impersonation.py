"""Impersonate a request: take its identity and its database role, inside one transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.audit.recorder import record_elevation
from hedgerow.catalogs.privileges import reads_all_columns
from hedgerow.catalogs.tables import LiveTable
from hedgerow.config.identity import Identity, Role
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE, HedgerowError
from hedgerow.sessions.begin import set_identity, set_locally
from hedgerow.why.row import hold


class CannotTellError(HedgerowError):
    """The owner's login may not look closely enough; the message says what would help."""


@contextmanager
def impersonating(
    connection: Connection, row_security: RowSecurity, identity: Identity
) -> Iterator[bool]:
    """Act as a request of `identity` does; everything is undone at the end.

    Yields whether the role was taken too: an owner who is not a superuser may be unable to.
    """
    role = row_security.database_role(identity)
    settings = row_security.settings_for(identity, recorded(connection, identity, row_security))
    savepoint = connection.begin_nested()
    try:
        if taken := _may_take(connection, role):
            settings = {**settings, "role": role}
        else:
            settings = {name: value for name, value in settings.items() if name != "role"}
        if settings:
            set_identity(connection, settings)
        yield taken
    finally:
        savepoint.rollback()


def recorded(connection: Connection, identity: Identity, row_security: RowSecurity) -> str | None:
    """Record the elevation, without which the database accepts no admin; return its entry."""
    return record_elevation(
        connection, replace(identity, reason=f"hedgerow why: {identity.user_id}"), row_security
    )


def hold_past_policies(
    connection: Connection,
    row_security: RowSecurity,
    identity: Identity,
    table: LiveTable,
    key: Mapping[str, str],
) -> bool:
    """Find a row that policies may hide, and hold it; return whether there is one.

    The owner sees it, unless FORCE subjects the owner to policies: then an admin of the database
    does, or the maintenance role where some column is secret to admins. Raises CannotTellError
    where neither may.
    """
    set_locally(connection, {"row_security": "off"})
    try:
        return hold(connection, table, key)
    except DBAPIError as error:
        _unless_refused(error)
    finally:
        set_locally(connection, {"row_security": "on"})
    reads = reads_all_columns(connection, row_security.roles.admin, table.oid)
    kind = Role.ADMIN if reads else Role.MAINTENANCE
    admin = Identity(identity.user_id, kind)
    role = row_security.database_role(admin)
    if not _may_take(connection, role):
        raise CannotTellError(_too_weak(connection, role))
    settings = row_security.settings_for(admin, recorded(connection, admin, row_security))
    set_identity(connection, {**settings, "role": role})
    held = hold(connection, table, key)
    nobody = {**row_security.settings_for(None), "role": "none"}
    set_locally(connection, {**nobody, "row_security": "on"})  # or FORCE refuses what comes next
    return held


def _may_take(connection: Connection, role: str) -> bool:
    """Return whether SET ROLE is allowed; where the owner may grant that to itself, it does.

    The grant is gone with the transaction.
    """
    return _try(connection, f"SET LOCAL ROLE {sql.name(role)}", keep=False) or (
        _try(connection, f"GRANT {sql.name(role)} TO CURRENT_USER", keep=True)
        and _try(connection, f"SET LOCAL ROLE {sql.name(role)}", keep=False)
    )


def _try(connection: Connection, statement: str, *, keep: bool) -> bool:
    savepoint = connection.begin_nested()
    try:
        connection.execute(sql.Statement(statement))
    except DBAPIError as error:
        savepoint.rollback()
        _unless_refused(error)
        return False
    if keep:
        savepoint.commit()
    else:
        savepoint.rollback()
    return True


def _unless_refused(error: DBAPIError) -> None:
    if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
        raise error


def _too_weak(connection: Connection, role: str) -> str:
    owner = connection.exec_driver_sql("SELECT current_user").scalar_one()
    return (
        f"Cannot tell: row security hides rows from the owner {owner!r} too (RLS_FORCE), and it may"
        f" not become {role!r}. Ask an administrator to run:"
        f" GRANT {sql.name(role)} TO {sql.name(owner)};"
    )
