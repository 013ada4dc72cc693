"""Bring a migrated database to the settings that are not history: ENABLE and FORCE."""

from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, text

from hedgerow import sql
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.scope import scoped_tables


@dataclass(frozen=True)
class RowSecurityState:
    """Whether a table enforces its policies, for ordinary roles and for its owner."""

    enabled: bool
    forced: bool
    policies: int


def read_state(connection: Connection, table: str, schema: str | None) -> RowSecurityState | None:
    """Return the state of a table's row security, or None where there is no such table."""
    row = connection.execute(
        text(
            "SELECT relrowsecurity, relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid)"
            " FROM pg_class WHERE oid = to_regclass(:table)"
        ),
        {"table": sql.table_name(table, schema)},
    ).one_or_none()
    return RowSecurityState(*row) if row else None


def reconcile(connection: Connection, metadata: MetaData, row_security: RowSecurity) -> None:
    """Switch row security on or off, forced or not, on each scoped table that has policies.

    A table without policies is left alone: its migration has not come yet, and enabling row
    security there would hide every row. Only what differs is altered, for ALTER TABLE waits for
    every reader.
    """
    for table, _ in scoped_tables(metadata):
        state = read_state(connection, table.name, table.schema)
        if state is None or state.policies == 0:
            continue
        target = sql.table_name(table.name, table.schema)
        if state.enabled is not row_security.enabled:
            verb = "ENABLE" if row_security.enabled else "DISABLE"
            connection.execute(sql.Statement(f"ALTER TABLE {target} {verb} ROW LEVEL SECURITY"))
        if state.forced is not row_security.force:
            verb = "FORCE" if row_security.force else "NO FORCE"
            connection.execute(sql.Statement(f"ALTER TABLE {target} {verb} ROW LEVEL SECURITY"))
