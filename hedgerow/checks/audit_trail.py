"""H126: the audit trail has a gap, or a role other than its owner may write it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from sqlalchemy import text

from hedgerow import sql
from hedgerow.audit import functions as audit_functions
from hedgerow.audit.schema import CHAIN_TRIGGER, TABLE, TABLES, lacks_tenant, policy_statements
from hedgerow.audit.triggers import NAME, create_trigger_statement
from hedgerow.catalogs.policies import LivePolicy, policies
from hedgerow.catalogs.privileges import function_privileges, relation_privileges
from hedgerow.catalogs.tables import LiveTable, tables_by_name
from hedgerow.checks.fixes import RESTORE, UPGRADE, WRITE_REVISION, remake
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.config.identity import Role
from hedgerow.findings import Finding, Level
from hedgerow.policies.wanted import declared_protection

_TRIGGERS = text("""
    SELECT tgrelid, tgname, tgenabled = 'O' AS enabled FROM pg_trigger
    WHERE tgname = :name AND NOT tgisinternal AND tgrelid = to_regclass(:table)
""")

_WAS_THERE = text("SELECT to_regprocedure('rls.verify_elevation()') IS NOT NULL")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find what lets an admin work unrecorded, or another role forge or remove an entry.

    A function that writes entries and that PUBLIC may execute can be made a trigger of a temporary
    table.
    """
    if inspection.row_security.audit is None:
        return
    if not audit_functions.exist(inspection.application):
        yield Finding(
            TABLE,
            f"Table {TABLE} is missing: no admin's request can be recorded, so each one fails.",
            _remake(inspection),
        )
        return
    if lacks_tenant(inspection.application):
        yield Finding(
            f"{TABLE}.tenant",
            f"Column tenant of {TABLE} is missing, which this version writes and reads: no admin's"
            " request can be recorded.",
            UPGRADE,
        )
    if inspection.login.rolsuper:
        return  # H101 reports it
    recorded = _recorded_tables(inspection)
    live = tables_by_name(inspection.application, [*TABLES, *recorded])
    yield from _writers(inspection)
    if TABLE in live:
        yield from _readers(inspection, live[TABLE])
    yield from _trigger(inspection, TABLE, "chain", CHAIN_TRIGGER, "entries are not chained")
    for target, create in recorded.items():
        if target in live:
            consequence = "changes by admins are not recorded"
            yield from _trigger(inspection, target, NAME, create, consequence)


def _remake(inspection: Inspection) -> str:
    """Return what makes the tables: where their functions are left, they have been there."""
    fix = remake(inspection)
    lost = inspection.application.scalar(_WAS_THERE)
    return WRITE_REVISION if fix == RESTORE and not lost else fix


def _recorded_tables(inspection: Inspection) -> Mapping[str, str]:
    """Return the tables whose changes are recorded, as SQL, and what creates their triggers."""
    roles = inspection.row_security.roles
    return {
        sql.table_name(table.name, table.schema): create_trigger_statement(
            trigger, table.name, table.schema, roles
        )
        for table in inspection.metadata.tables.values()
        if (trigger := declared_protection(table, inspection.row_security).trigger) is not None
    }


def _writers(inspection: Inspection) -> Iterator[Finding]:
    roles = inspection.row_security.roles
    may_read = {(TABLE, roles.admin, "SELECT"), (TABLE, roles.read_only_admin, "SELECT")}
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in relation_privileges(inspection.application, TABLES):
        if not one.is_owner and (one.name, one.role, one.privilege) not in may_read:
            found[one.name, one.role].add(one.privilege)
    for (target, role), surplus in found.items():
        privileges = ", ".join(sorted(surplus))
        yield Finding(
            f"{target} {role}",
            f"{role!r} has {privileges} on {target}: it can read, forge or remove entries of the"
            " audit trail without being recorded.",
            f"REVOKE {privileges} ON {target} FROM {sql.role_name(role)};",
        )
    internal = [f"rls.{name}" for name in audit_functions.INTERNAL]
    for one in function_privileges(inspection.application, internal):
        if not one.is_owner:
            yield Finding(
                f"{one.name} {one.role}",
                f"{one.role!r} may execute {one.name}: as a trigger on a temporary table it can"
                " write any entry.",
                f"REVOKE ALL ON FUNCTION {one.name} FROM {sql.role_name(one.role)};",
            )


def _readers(inspection: Inspection, trail: LiveTable) -> Iterator[Finding]:
    roles = inspection.row_security.roles
    expected = policy_statements(roles)
    found = {policy.name: policy for policy in policies(inspection.application, [trail.oid])}
    for name, create in expected.items():
        word = name.removeprefix("audit_")
        reader = roles.admin if word == Role.ADMIN else roles.read_only_admin
        if name not in found or not _is_intact(found[name], reader, word):
            yield Finding(
                f"{TABLE}.{name}",
                f"Policy {name!r} of {TABLE} is missing or altered: other roles than the admins may"
                " read the audit trail, or the admins may not.",
                f"DROP POLICY IF EXISTS {sql.name(name)} ON {TABLE}; {create};",
            )
    for name in sorted(found.keys() - expected.keys()):
        yield Finding(
            f"{TABLE}.{name}",
            f"Policy {name!r} of {TABLE} is not Hedgerow's: it can hide entries from admins.",
            f"DROP POLICY {sql.name(name)} ON {TABLE};",
        )
    if not trail.enabled:
        yield Finding(
            TABLE,
            f"Row security of {TABLE} is off: the admin's database role alone can read it.",
            f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY;",
        )


def _is_intact(policy: LivePolicy, reader: str, word: str) -> bool:
    return (policy.command, policy.permissive, policy.roles, policy.using) == (
        "SELECT",
        True,
        (reader,),
        f"( SELECT (rls.role() = '{word}'::text))",
    )


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
