"""Which tenants a write would leave without an owner, which a trigger refuses past all policies."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.catalogs.tables import LiveTable
from hedgerow.policies.live_tenancy import live_tenancy
from hedgerow.policies.tenancy_sql import KEEP_AN_OWNER
from hedgerow.why.row import held_row

# Whether :table is that of memberships, or else its column whose rows take theirs along as they go.
_TAKEN_ALONG = text("""
    SELECT t.tgrelid = :table AS is_members, (
        SELECT key.attname::text FROM pg_constraint c
        JOIN pg_attribute own ON own.attrelid = c.conrelid AND c.conkey = ARRAY[own.attnum]
        JOIN pg_attribute key ON key.attrelid = c.confrelid AND c.confkey = ARRAY[key.attnum]
        WHERE c.contype = 'f' AND c.confdeltype = 'c' AND c.conrelid = t.tgrelid
          AND c.confrelid = :table AND own.attname = :user
        LIMIT 1
    ) AS key
    FROM pg_trigger t
    WHERE t.tgfoid = to_regprocedure(:function) AND t.tgenabled <> 'D' AND t.tgparentid = 0
""")


def tenants_left_without_owner(
    connection: Connection, table: LiveTable, *, deleted: bool
) -> Sequence[str]:
    """Return the tenants whose last owner is the held row: a membership, or a user's account.

    None of an account that is only changed. Asked as the owner, who sees all memberships.
    """
    tenancy = live_tenancy(connection)
    if tenancy is None or tenancy.role is None:
        return ()
    known = {"table": table.oid, "user": tenancy.user, "function": KEEP_AN_OWNER}
    found = connection.execute(_TAKEN_ALONG, known).one_or_none()
    members = sql.table_name(tenancy.members, tenancy.schema)
    held = sql.name(table.name)
    if found is None or not (found.is_members or (found.key and deleted)):
        return ()
    if found.is_members:
        lost = f"(SELECT {held}.* FROM {held_row(table)}) AS lost"  # noqa: S608
    else:
        is_his = f"lost.{sql.name(tenancy.user)} = {held}.{sql.name(found.key)}"
        lost = f"{members} AS lost JOIN {held_row(table)} ON {is_his}"
    user, tenant, role = map(sql.name, (tenancy.user, tenancy.tenant, tenancy.role))
    owner = sql.text_literal(tenancy.owner)
    asked = sql.Statement(
        f"SELECT lost.{tenant}::text FROM {lost}"  # noqa: S608
        f" WHERE lost.{role}::text = {owner} AND NOT EXISTS (SELECT FROM {members} AS other"
        f" WHERE other.{tenant} = lost.{tenant} AND other.{role}::text = {owner}"
        f" AND other.{user} <> lost.{user}) ORDER BY 1"
    )
    return [f"{tenancy.tenants} {key}" for key in connection.scalars(asked)]
