"""H126: the audit trail has a gap, or somebody but its owner may write it."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.audit import functions as audit_functions
from hedgerow.audit.schema import CHAIN_TRIGGER, TABLE, TABLES, policy_statements
from hedgerow.audit.triggers import NAME, create_trigger_statement
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.config.audit import AuditTrigger
from hedgerow.findings import Finding, Level
from hedgerow.policies.wanted import declared_protection

_PRIVILEGES = text("""
    SELECT c.oid::regclass::text AS target, coalesce(r.rolname, 'public') AS role,
           string_agg(DISTINCT acl.privilege_type, ', ') AS privileges
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    CROSS JOIN LATERAL aclexplode(c.relacl || a.attacl) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.oid = ANY(SELECT to_regclass(name)::oid FROM unnest(CAST(:tables AS text[])) AS name)
      AND acl.grantee <> c.relowner
      AND NOT (acl.privilege_type = 'SELECT' AND c.oid = to_regclass(:table)
               AND r.rolname = ANY(:readers))
    GROUP BY 1, 2 ORDER BY 1, 2
""")

_EXECUTE = text("""
    SELECT p.oid::regprocedure::text AS target, coalesce(r.rolname, 'public') AS role
    FROM pg_proc p
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE p.oid = ANY(SELECT to_regprocedure('rls.' || name)::oid
                      FROM unnest(CAST(:functions AS text[])) AS name)
      AND acl.grantee <> p.proowner
    ORDER BY 1, 2
""")

_POLICIES = text("""
    SELECT polname AS name, polcmd = 'r' AND polpermissive
        AND polroles = ARRAY[
            CASE polname WHEN 'audit_admin' THEN to_regrole(:admin)
                         ELSE to_regrole(:reader) END::oid
        ]
        AND pg_get_expr(polqual, polrelid)
            = format('( SELECT (rls.role() = %L::text))', substr(polname, 7)) AS is_ours
    FROM pg_policy WHERE polrelid = to_regclass(:table)
""")

_TRIGGERS = text("""
    SELECT tgrelid, tgname, tgenabled = 'O' AS enabled FROM pg_trigger
    WHERE tgname = :name AND NOT tgisinternal AND tgrelid = to_regclass(:table)
""")

_SWITCHED_OFF = text("SELECT NOT relrowsecurity FROM pg_class WHERE oid = to_regclass(:table)")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find what would let an admin work without a trace, or anybody forge or remove one.

    A function that writes entries and that PUBLIC may execute is a trigger on anybody's temporary
    table.
    """
    if inspection.row_security.audit is None or not inspection.row_security.enabled:
        return
    if not audit_functions.exist(inspection.application):
        yield Finding(
            TABLE,
            f"Table {TABLE} is missing: no admin's request can be recorded, so each one fails.",
            "alembic upgrade head",
        )
        return
    if inspection.login.rolsuper:
        return  # H101 says it already
    yield from _writers(inspection)
    yield from _readers(inspection)
    if inspection.application.scalar(_SWITCHED_OFF, {"table": TABLE}):
        yield Finding(
            TABLE,
            f"Row security of {TABLE} is off: an admin's role alone reads it.",
            f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY;",
        )
    yield from _trigger(inspection, TABLE, "chain", CHAIN_TRIGGER, "entries are not chained")
    for table in inspection.metadata.tables.values():
        trigger = declared_protection(table, inspection.row_security).trigger
        if trigger is not None and _exists(inspection, table.name, table.schema):
            yield from _table_trigger(inspection, table.name, table.schema, trigger)


def _writers(inspection: Inspection) -> Iterator[Finding]:
    roles = inspection.row_security.roles
    readers = [roles.admin, roles.read_only_admin]
    for row in inspection.application.execute(
        _PRIVILEGES, {"tables": list(TABLES), "table": TABLE, "readers": readers}
    ):
        yield Finding(
            f"{row.target} {row.role}",
            f"{row.role!r} has {row.privileges} on {row.target}: the audit trail can be read,"
            " forged or emptied past what it records.",
            f"REVOKE {row.privileges} ON {row.target} FROM {sql.role_name(row.role)};",
        )
    for row in inspection.application.execute(
        _EXECUTE, {"functions": list(audit_functions.INTERNAL)}
    ):
        yield Finding(
            f"{row.target} {row.role}",
            f"{row.role!r} may execute {row.target}: as a trigger on a temporary table it writes"
            " whatever entry one likes.",
            f"REVOKE ALL ON FUNCTION {row.target} FROM {sql.role_name(row.role)};",
        )


def _readers(inspection: Inspection) -> Iterator[Finding]:
    roles = inspection.row_security.roles
    names = {"admin": sql.name(roles.admin), "reader": sql.name(roles.read_only_admin)}
    found = {
        row.name: row.is_ours
        for row in inspection.application.execute(_POLICIES, {"table": TABLE, **names})
    }
    for name, create in policy_statements(roles).items():
        if found.pop(name, False):
            continue
        yield Finding(
            f"{TABLE}.{name}",
            f"Policy {name!r} of {TABLE} is missing or altered: who may read the audit trail is"
            " not what it was made for.",
            f"DROP POLICY IF EXISTS {sql.name(name)} ON {TABLE}; {create};",
        )
    for name in found:
        if name not in policy_statements(roles):
            yield Finding(
                f"{TABLE}.{name}",
                f"Policy {name!r} of {TABLE} is not Hedgerow's: it can hide entries from admins.",
                f"DROP POLICY {sql.name(name)} ON {TABLE};",
            )


def _exists(inspection: Inspection, table: str, schema: str | None) -> bool:
    found = text("SELECT to_regclass(:table) IS NOT NULL")
    return bool(inspection.application.scalar(found, {"table": sql.table_name(table, schema)}))


def _table_trigger(
    inspection: Inspection, table: str, schema: str | None, trigger: AuditTrigger
) -> Iterator[Finding]:
    roles = inspection.row_security.roles
    create = create_trigger_statement(trigger, table, schema, roles)
    target = sql.table_name(table, schema)
    yield from _trigger(inspection, target, NAME, create, "changes by admins leave no trace")


def _trigger(
    inspection: Inspection, table: str, name: str, create: str, consequence: str
) -> Iterator[Finding]:
    row = inspection.application.execute(_TRIGGERS, {"name": name, "table": table}).one_or_none()
    if row is not None and row.enabled:
        return
    yield Finding(
        f"{table} {name}",
        f"Trigger {name} of table {table} is {'off' if row else 'missing'}: {consequence}.",
        f"ALTER TABLE {table} ENABLE TRIGGER {name};" if row else f"{create};",
    )


CHECK = Check("H126", Level.ERROR, "Audit trail incomplete", find, at_start_up=True)
