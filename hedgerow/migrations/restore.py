"""Bring back what the database has lost of row security, without a revision."""

import logging

from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from hedgerow import sql
from hedgerow.catalogs.tables import tables_by_name
from hedgerow.config.row_security import RowSecurity
from hedgerow.migrations.autogenerate import (
    around_tables,
    differences,
    included_tables,
    missing_functions,
)

logger = logging.getLogger("hedgerow.restore")

RESTORE = "rls=restore"
"""What `alembic -x` is told to have it done."""


def restore(
    connection: Connection,
    migration: MigrationContext,
    metadata: MetaData,
    row_security: RowSecurity,
) -> None:
    """Run on existing tables what autogenerate would write a revision with.

    Revisions have made it once, and do not run again: policies that a person or DROP OWNED BY has
    dropped, grants, triggers, the functions of schema `rls`. Raises a SQLAlchemy DBAPIError where
    the models are ahead of the database.
    """
    tables = included_tables(AutogenContext(migration, metadata), metadata)
    by_name = {sql.table_name(table.name, table.schema): table for table in tables}
    existing = [by_name[name] for name in tables_by_name(connection, list(by_name))]
    needed = differences(connection, existing, row_security)
    needed[:0] = missing_functions(connection, needed, row_security)
    before, after = around_tables(needed)
    statements = [
        statement
        for operation in (*before, *after)
        for statement in operation.statements(row_security.roles)
    ]
    for statement in statements:
        connection.execute(sql.Statement(statement))
        logger.info("%s;", statement)
    logger.warning("Row security is as the models declare it again: %d changes.", len(needed))
