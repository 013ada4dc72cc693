"""Bring a migrated database to the settings that are not history: ENABLE and FORCE."""

from sqlalchemy import Connection, MetaData

from hedgerow import sql
from hedgerow.catalogs.tables import tables_by_name
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.registry import scoped_tables
from hedgerow.policies.wanted import is_forced


def reconcile(connection: Connection, metadata: MetaData, row_security: RowSecurity) -> None:
    """Switch row security on or off, forced or not, on each scoped table that has policies.

    A table without policies is left alone: its migration has not come yet, and enabling row
    security there would hide every row. Only what differs is altered, for ALTER TABLE waits for
    every reader.
    """
    tables = (table for table, _ in scoped_tables(metadata))
    scoped = {sql.table_name(table.name, table.schema): table for table in tables}
    for target, state in tables_by_name(connection, list(scoped)).items():
        if state.policies == 0:
            continue
        if state.enabled is not row_security.enabled:
            verb = "ENABLE" if row_security.enabled else "DISABLE"
            connection.execute(sql.Statement(f"ALTER TABLE {target} {verb} ROW LEVEL SECURITY"))
        force = is_forced(scoped[target], row_security)
        if state.forced is not force:
            verb = "FORCE" if force else "NO FORCE"
            connection.execute(sql.Statement(f"ALTER TABLE {target} {verb} ROW LEVEL SECURITY"))
