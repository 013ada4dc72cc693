"""Which keys of a row refer to what its writer cannot see."""

from collections.abc import Iterator

from sqlalchemy import Connection

from hedgerow import sql
from hedgerow.catalogs.tables import LiveTable
from hedgerow.policies.live_references import live_references
from hedgerow.why.row import held_row


def hidden_references(connection: Connection, table: LiveTable) -> Iterator[str]:
    """Yield the columns of each checked key of the held row whose parent is hidden or missing.

    Asked as the transaction's current role and identity, like the trigger.
    """
    for check in live_references(connection, [table.oid]).get(table.oid, {}).values():
        row = sql.name(table.name)
        parent = sql.table_name(check.parent, check.parent_schema)
        is_set = " AND ".join(f"{row}.{sql.name(column)} IS NOT NULL" for column in check.columns)
        joined = " AND ".join(
            f"parent.{sql.name(theirs)} = {row}.{sql.name(ours)}"
            for ours, theirs in zip(check.columns, check.parent_columns, strict=True)
        )
        asked = sql.Statement(
            f"SELECT {is_set} AND NOT EXISTS (SELECT FROM {parent} AS parent WHERE {joined})"  # noqa: S608
            f" FROM {held_row(table)}"
        )
        if connection.execute(asked).scalar_one():
            yield ", ".join(check.columns)
