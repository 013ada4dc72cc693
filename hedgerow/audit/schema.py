"""The audit trail's tables, in schema `rls`, and who may read them.

An entry is written by functions that run with the owner's rights; only the owner has any
other privilege than SELECT. `audit_head` holds the newest link of the chain, so that entries which
were cut off at its end are missed.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.config.identity import Role
from hedgerow.config.roles import RoleNames

TABLE = "rls.audit"
TABLES = (TABLE, "rls.audit_head")
GENESIS = "\\x" + "00" * 32
"""What the first entry is chained to."""

COLUMNS = (
    "position",
    "id",
    "extract(epoch FROM at)",
    "event",
    "elevation",
    "user_id",
    "role",
    "login",
    "reason",
    "method",
    "path",
    "request_id",
    "transaction::text",
    "table_name",
    "row_key::text",
    "owner",
    "command",
    "columns",
    "changes::text",
)
"""What each entry's hash is made of, in this order; a time in seconds: no setting matters."""


CHAIN_TRIGGER = sql.read("hedgerow.audit", "chain_trigger.sql")
ADD_TENANT = sql.read("hedgerow.audit", "tenant.sql")
"""What brings tables that an older version has made up to date; does nothing to others."""

_LACKS_TENANT = text("""
    SELECT NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass(:table) AND attname = 'tenant' AND NOT attisdropped
    )
""")


def lacks_tenant(connection: Connection) -> bool:
    """Return whether the entries have no tenant yet, where their table is there."""
    return bool(connection.scalar(_LACKS_TENANT, {"table": TABLE}))


def digest(entry: str = "") -> str:
    """Return the SQL of an entry's hash; `entry` is a prefix for its columns, such as `entry.`.

    The tenant comes last, and only where there is one: entries of older versions hash as before.
    """
    values = ", ".join(
        column.replace("at)", f"{entry}at)") if "(" in column else f"{entry}{column}"
        for column in COLUMNS
    )
    content = f"jsonb_build_array({values}) || coalesce(to_jsonb({entry}tenant), '[]')"
    return f"sha256({entry}previous || convert_to(({content})::text, 'UTF8'))"


def create_statements(roles: RoleNames) -> Iterable[str]:
    """Return the SQL that makes the tables, which the functions of this package then fill."""
    yield sql.read("hedgerow.audit", "audit.sql")
    yield f"CREATE INDEX audit_user_id_position ON {TABLE} (user_id, position)"
    yield f"CREATE INDEX audit_transaction ON {TABLE} (transaction)"
    yield ADD_TENANT
    yield "CREATE TABLE rls.audit_head (position bigint NOT NULL, hash bytea NOT NULL)"
    yield "CREATE UNIQUE INDEX audit_head_is_one_row ON rls.audit_head ((true))"
    yield f"INSERT INTO rls.audit_head VALUES (0, {sql.text_literal(GENESIS)})"  # noqa: S608
    yield f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY"
    yield from policy_statements(roles).values()
    for role in (roles.admin, roles.read_only_admin):
        yield f"GRANT SELECT ON {TABLE} TO {sql.role_name(role)}"


def policy_statements(roles: RoleNames) -> Mapping[str, str]:
    """Return, by its name, the SQL that creates each policy: who may read the trail."""
    readers = ((roles.admin, Role.ADMIN), (roles.read_only_admin, Role.READ_ONLY_ADMIN))
    return {
        f"audit_{role.value}": f"CREATE POLICY {sql.name(f'audit_{role.value}')} ON {TABLE}"
        f" FOR SELECT TO {sql.role_name(name)}"
        f" USING ((SELECT rls.role() = {sql.text_literal(role.value)}))"
        for name, role in readers
    }


def drop_statements() -> Iterable[str]:
    """Return the SQL that removes the tables, with all that they hold."""
    return (f"DROP TABLE {', '.join(TABLES)}",)
