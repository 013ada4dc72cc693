"""How the tables of a database are protected, in the shape in which models declare it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.audit.triggers import NAME as TRIGGER_NAME
from hedgerow.audit.triggers import read_arguments
from hedgerow.catalogs.policies import LivePolicy, policies
from hedgerow.catalogs.privileges import Privilege, relation_privileges
from hedgerow.catalogs.tables import tables_in
from hedgerow.config.roles import RoleNames
from hedgerow.policies.live_references import live_references
from hedgerow.policies.policy import Policy
from hedgerow.policies.wanted import Grants, Protection, TableKey

# The sequence of a SERIAL column ("a") or an IDENTITY ("i"): it goes with its column.
_SEQUENCES = text("""
    SELECT d.refobjid AS table, a.attname AS column, d.objid AS oid,
           format('%I.%I', n.nspname, s.relname) AS target
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjid = ANY(:tables)
    ORDER BY 1, 2
""")

_TRIGGERS = text("""
    SELECT tgrelid, tgargs FROM pg_trigger
    WHERE tgname = :name AND NOT tgisinternal AND tgrelid = ANY(:tables)
""")

_OID = text("SELECT to_regclass(:table)::oid")

_TRIGGER_DEFINITION = text("""
    SELECT pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgname = :name AND tgrelid = to_regclass(:table)
""")


def live_protections(
    connection: Connection, schemas: Collection[str], roles: RoleNames
) -> Mapping[TableKey, Protection]:
    """Return how each table of `schemas` is protected now, with the roles' default names.

    Grants are those of the project's roles and of PUBLIC: grants to other roles are not compared.
    """
    tables = tables_in(connection, schemas)
    oids = [table.oid for table in tables]
    live_policies: dict[int, dict[str, Policy]] = defaultdict(dict)
    for policy in policies(connection, oids):
        live_policies[policy.table][policy.name] = as_declared(policy, roles)
    owned = connection.execute(_SEQUENCES, {"tables": oids}).all()
    names = [table.sql for table in tables] + [sequence.target for sequence in owned]
    grants = _grants(relation_privileges(connection, names), roles)
    sequences: dict[int, dict[str, Grants]] = defaultdict(dict)
    for sequence in owned:
        sequences[sequence.table][sequence.column] = grants[sequence.oid]
    triggers = {
        row.tgrelid: read_arguments(row.tgargs)
        for row in connection.execute(_TRIGGERS, {"tables": oids, "name": TRIGGER_NAME})
    }
    references = live_references(connection, oids)
    return {
        (None if table.in_default_schema else table.schema, table.name): Protection(
            enabled=table.enabled,
            forced=table.forced,
            policies=live_policies[table.oid],
            grants=grants[table.oid],
            sequences=sequences[table.oid],
            trigger=triggers.get(table.oid),
            references=references.get(table.oid, {}),
        )
        for table in tables
    }


def _grants(
    privileges: Iterable[Privilege], roles: RoleNames
) -> Mapping[int, Mapping[str, tuple[str, ...]]]:
    """Return, by object and role, what our roles and PUBLIC were granted, as GRANT spells it."""
    ours = {"public", *roles.names}
    grants: dict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for one in privileges:
        if one.role in ours and not one.is_owner:
            column = f" ({sql.name(one.column)})" if one.column else ""
            role = roles.documented(one.role)
            grants[one.oid][role] = (*grants[one.oid].get(role, ()), one.privilege + column)
    return grants


def as_declared(policy: LivePolicy, roles: RoleNames) -> Policy:
    """Return a policy with the roles' default names, as a model or a migration declares it."""
    return Policy(
        name=policy.name,
        command=policy.command,
        roles=tuple(roles.documented(role) for role in policy.roles),
        using=policy.using,
        with_check=policy.with_check,
        permissive=policy.permissive,
    )


def policy_as_the_server_sees_it(
    connection: Connection, create: str, drop: str | None, table: str, name: str, roles: RoleNames
) -> Policy:
    """Create a policy in a savepoint, read it back, and leave no trace.

    `create` and `drop` are statements; `drop` makes room where a policy has the same name. Raises
    what the server raises: a policy that cannot be created is no policy that is unchanged (P39).
    """
    savepoint = connection.begin_nested()
    try:
        if drop is not None:
            connection.execute(sql.Statement(drop))
        connection.execute(sql.Statement(create))
        oid = connection.execute(_OID, {"table": table}).scalar_one()
        [created] = [one for one in policies(connection, [oid]) if one.name == name]
        return as_declared(created, roles)
    finally:
        savepoint.rollback()


def trigger_would_change(connection: Connection, create: str, drop: str, table: str) -> bool:
    """Return whether a table's audit trigger is another than `create` would make it.

    Tried in a savepoint and read back; leaves no trace. Raises what the server raises.
    """
    known = {"name": TRIGGER_NAME, "table": table}
    before = connection.scalar(_TRIGGER_DEFINITION, known)
    savepoint = connection.begin_nested()
    try:
        connection.execute(sql.Statement(drop))
        connection.execute(sql.Statement(create))
        return bool(connection.scalar(_TRIGGER_DEFINITION, known) != before)
    finally:
        savepoint.rollback()
