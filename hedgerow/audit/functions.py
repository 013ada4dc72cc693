"""The functions that write the audit trail, chain it, and have policies ask for it.

Each is in a file of `sql/`. All run with the owner's rights, for no other role may write an entry.
They are defined anew by every `alembic upgrade head`, as the functions of
`hedgerow/provisioning/functions.py` are.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.audit.schema import TABLE, digest
from hedgerow.config.identity import (
    ELEVATION_SETTING,
    REASON_SETTING,
    ROLE_SETTING,
    TENANT_SETTING,
    Role,
)
from hedgerow.config.roles import RoleNames
from hedgerow.errors import UNRECORDED_ELEVATION

RECORD_ELEVATION = "record_elevation(text, text, text, text, text)"
RECORD_WRITE = "record_write(regclass, text)"
INTERNAL = ("record_change()", "record_login()", "chain()")
"""Functions that only triggers call."""

LOCK_LASTS = "5s"
"""How long a commit waits for another's place in the chain."""

ELEVATION_LASTS = "1 minute"
"""How long after it was recorded an elevation may still begin a transaction, by one clock."""


def exist(connection: Connection) -> bool:
    """Return whether the audit trail's tables are there."""
    exists = text("SELECT to_regclass(:table) IS NOT NULL")
    return bool(connection.scalar(exists, {"table": TABLE}))


def define_statements(roles: RoleNames, *, reason_required: bool = False) -> Iterable[str]:
    """Return the SQL that defines the functions, and says who may call them.

    A function that writes may be called by logins that elevate. What PUBLIC could execute, any role
    could make a trigger of a temporary table, and so write entries of its own.
    """
    yield from _functions(roles, reason_required=reason_required)
    for function in (RECORD_ELEVATION, RECORD_WRITE, *INTERNAL):
        yield f"REVOKE ALL ON FUNCTION rls.{function} FROM PUBLIC"
    logins = f"{sql.role_name(roles.app)}, {sql.role_name(roles.maintenance)}"
    yield f"GRANT EXECUTE ON FUNCTION rls.{RECORD_ELEVATION} TO {logins}"
    writers = f"{sql.role_name(roles.admin)}, {sql.role_name(roles.service)}"
    yield f"GRANT EXECUTE ON FUNCTION rls.{RECORD_WRITE} TO {writers}"


def drop_statements() -> Iterable[str]:
    """Return the SQL that removes the functions, once nothing calls them."""
    for function in (RECORD_ELEVATION, RECORD_WRITE, "verify_elevation()", *INTERNAL):
        yield f"DROP FUNCTION rls.{function}"


def _functions(roles: RoleNames, *, reason_required: bool) -> Iterator[str]:
    role_setting = sql.text_literal(ROLE_SETTING)
    tenant_setting = sql.text_literal(TENANT_SETTING)
    elevation_setting = sql.text_literal(ELEVATION_SETTING)
    unrecorded_elevation = sql.text_literal(UNRECORDED_ELEVATION)
    maintenance_role = sql.text_literal(roles.maintenance)
    yield _statement(
        "record_elevation.sql",
        role_setting=role_setting,
        tenant_setting=tenant_setting,
        admin=sql.text_literal(Role.ADMIN),
        read_only_admin=sql.text_literal(Role.READ_ONLY_ADMIN),
        service=sql.text_literal(Role.SERVICE),
        reason_required=str(reason_required).lower(),
        unrecorded_elevation=unrecorded_elevation,
    )
    yield _statement(
        "verify_elevation.sql",
        role_setting=role_setting,
        tenant_setting=tenant_setting,
        elevation_setting=elevation_setting,
        elevation_lasts=sql.text_literal(ELEVATION_LASTS),
        unrecorded_elevation=unrecorded_elevation,
    )
    yield _statement("record_write.sql", elevation_setting=elevation_setting)
    yield _statement(
        "record_change.sql",
        elevation_setting=elevation_setting,
        maintenance_role=maintenance_role,
    )
    yield _statement(
        "record_login.sql",
        reason_setting=sql.text_literal(REASON_SETTING),
        maintenance_role=maintenance_role,
    )
    yield _statement("chain.sql", lock_lasts=sql.text_literal(LOCK_LASTS), digest=digest("entry."))


def _statement(file: str, **values: str) -> str:
    return sql.fill(sql.read("hedgerow.audit", file), **values)
