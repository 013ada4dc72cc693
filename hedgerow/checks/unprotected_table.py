"""H129: requests can read a table that has no row security."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.catalogs.privileges import default_privileges, relation_privileges
from hedgerow.catalogs.tables import LiveTable, unprotected_tables
from hedgerow.checks.fixes import unless_policies_need
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.registry import scope_of
from hedgerow.provisioning import functions


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find readable tables without row security that no model exempts, and what opens new ones.

    Whoever made them did not mean requests: `GRANT ... ON ALL TABLES IN SCHEMA` and ALTER DEFAULT
    PRIVILEGES open what comes later too. Parts of scoped tables are H114's.
    """
    if inspection.login.rolsuper:
        return  # H101 reports it
    known = [
        sql.table_name(table.name, table.schema)
        for table in inspection.metadata.tables.values()
        if isinstance(scope_of(table), Exempt)
    ]
    # The login may not be able to name what an admin's role can read.
    owner = inspection.as_owner()
    found = unprotected_tables(
        owner,
        inspection.reach,
        but=[*inspection.live_tables, *known],
        but_schema=functions.SCHEMA,
    )
    for table in found:
        yield Finding(
            subject=table.name if table.in_default_schema else f"{table.schema}.{table.name}",
            sentence=f"Table {table.name!r} of schema {table.schema!r} has no row security, and"
            " requests can read it: each user sees every row.",
            fix=_fix(inspection, table),
        )
    asked = ["public", *inspection.reach]
    for one in default_privileges(owner, asked, but_schema=functions.SCHEMA):
        place = f" IN SCHEMA {sql.name(one.schema)}" if one.schema else ""
        whose = f"FOR ROLE {sql.name(one.creator)}{place}"
        granted = ", ".join(one.privileges)
        yield Finding(
            subject=f"default privileges {whose} {one.role}",
            sentence=f"Each new table of {one.creator!r} grants {granted} to {one.role!r}:"
            " requests get at tables that nobody opened to them.",
            fix=f"ALTER DEFAULT PRIVILEGES {whose} REVOKE {granted} ON TABLES"
            f" FROM {sql.role_name(one.role)};",
        )


def _fix(inspection: Inspection, table: LiveTable) -> str:
    if table.owner in inspection.reach:
        return f"ALTER TABLE {table.sql} OWNER TO {sql.name(inspection.owner_name)};"
    granted = sorted(
        {
            one.role
            for one in relation_privileges(inspection.as_owner(), [table.sql])
            if not one.is_owner and one.role in ("public", *inspection.reach)
        }
    )
    if not granted:  # a role such as pg_read_all_data reads it all
        return "Revoke from the application's roles the role that may read every table."
    revoke = f"REVOKE ALL ON {table.sql} FROM {', '.join(map(sql.role_name, granted))};"
    return unless_policies_need(inspection, table.sql, revoke)


CHECK = Check("H129", Level.WARNING, "Table without row security", find, pitfalls=("P50",))
