"""Let autogenerate and `alembic check` see row security as they see columns."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from graphlib import CycleError
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DropTableOp, UpgradeOps
from alembic.util import PriorityDispatchResult
from sqlalchemy import Connection, MetaData, Table, inspect
from sqlalchemy.exc import DBAPIError

from hedgerow.audit import functions as audit_functions
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import first_line
from hedgerow.errors import DriftError
from hedgerow.migrations.audit import CreateAuditOp, CreateAuditTriggerOp, DropAuditOp
from hedgerow.migrations.compare import compare_shares, compare_table, compare_tenancy
from hedgerow.migrations.drops import drops_last
from hedgerow.migrations.operation import ROW_SECURITY_OPTION, RowSecurityOp
from hedgerow.migrations.operations import CreateFunctionsOp, CreatePolicyOp
from hedgerow.migrations.references import DropShareFunctionOp
from hedgerow.migrations.schemas import compare_schemas
from hedgerow.migrations.tenancy import DropTenancyOp
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.live import live_protections
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.wanted import Protection, TableKey, declared_protection
from hedgerow.provisioning import functions
from hedgerow.provisioning.drift import drifted_functions, drifted_roles
from hedgerow.provisioning.roles import as_if_made, roles_are_missing


def compare_row_security(context: AutogenContext, upgrade: UpgradeOps) -> PriorityDispatchResult:
    """Add to a revision what row security needs.

    Roles and functions are not history: `alembic upgrade head` fixes them without a revision, so
    where they differ that is what to run. Before the first upgrade, where roles and schema `rls`
    are missing, the comparison is made as if the roles were there: no revision lacks anything, and
    no role is left behind, by `alembic check` or by `alembic revision`.

    Raises DriftError where they differ, and where the server could not tell whether a policy
    differs; ConfigurationError where the models contradict themselves; ProvisioningError before
    the first upgrade where the owner may not make the roles.
    """
    connection, metadata = context.connection, context.metadata
    row_security = context.opts.get(ROW_SECURITY_OPTION)
    if row_security is None or connection is None or not isinstance(metadata, MetaData):
        return PriorityDispatchResult.CONTINUE
    tables = included_tables(context, metadata)
    check_declarations(metadata, tables)
    try:
        with _as_after_an_upgrade(connection, row_security):
            with suppress(CycleError):
                upgrade.ops[:] = drops_last(upgrade.ops)
            drops = [op for op in upgrade.ops if isinstance(op, DropTableOp)]
            dropped = {(op.schema, op.table_name) for op in drops}
            needed = differences(connection, tables, row_security, dropped)
            needed[:0] = missing_functions(connection, needed, row_security)
            if row_security.audit is None and _has_audit(connection):
                needed.append(DropAuditOp())
    except DBAPIError as error:
        raise DriftError(f"Row security cannot be compared: {first_line(error)}") from error
    before, after = around_tables(needed)
    upgrade.ops[:0] = before
    upgrade.ops.extend(after)
    return PriorityDispatchResult.CONTINUE


@contextmanager
def _as_after_an_upgrade(connection: Connection, row_security: RowSecurity) -> Iterator[None]:
    """Let the block see roles and functions as the next upgrade leaves them, or raise DriftError.

    Policies and grants of a database that no upgrade has reached cannot be compared without roles.
    """
    has_functions = functions.exist(connection)
    if not has_functions and roles_are_missing(connection, row_security.roles):
        with as_if_made(connection, row_security):
            yield
        return
    drifted = drifted_roles(connection, row_security)
    if has_functions:
        drifted += drifted_functions(connection, row_security)
    if drifted:
        fix = "Run `alembic upgrade head`, which fixes what is Hedgerow's."
        raise DriftError(" ".join([*drifted, fix]))
    yield


def _has_audit(connection: Connection) -> bool:
    return functions.exist(connection) and audit_functions.exist(connection)


def missing_functions(
    connection: Connection, needed: Iterable[RowSecurityOp], row_security: RowSecurity
) -> list[RowSecurityOp]:
    """Return what makes schema `rls` and the audit trail, where `needed` wants it and it lacks."""
    has_functions = functions.exist(connection)
    calls_functions = any(isinstance(op, CreatePolicyOp | CreateAuditTriggerOp) for op in needed)
    missing: list[RowSecurityOp] = []
    if not has_functions and calls_functions:
        missing.append(CreateFunctionsOp(id_type=row_security.id_type))
    makes_schema = has_functions or calls_functions
    if row_security.audit is not None and makes_schema and not _has_audit(connection):
        missing.append(CreateAuditOp())
    return missing


def around_tables(
    operations: Iterable[RowSecurityOp],
) -> tuple[list[RowSecurityOp], list[RowSecurityOp]]:
    """Part `operations` into those to run before columns and tables change, and those after."""
    before: list[RowSecurityOp] = []
    after: list[RowSecurityOp] = []
    for operation in sorted(operations, key=lambda operation: operation.order):
        (before if operation.before_tables else after).append(operation)
    return before, after


def included_tables(context: AutogenContext, metadata: MetaData) -> list[Table]:
    """Return the tables that the project lets autogenerate see."""
    return [table for table in metadata.tables.values() if _is_included(context, table)]


def _is_included(context: AutogenContext, table: Table) -> bool:
    """Return whether the project's `include_name` and `include_object` let autogenerate see it."""
    parents: dict[Any, str | None] = {
        "schema_name": table.schema,
        "schema_qualified_table_name": table.fullname,
    }
    return (
        context.run_name_filters(table.schema, "schema", {})
        and context.run_name_filters(table.name, "table", parents)
        and context.run_object_filters(table, table.name, "table", False, None)
    )


def differences(
    connection: Connection,
    tables: Iterable[Table],
    row_security: RowSecurity,
    dropped: Collection[TableKey] = (),
) -> list[RowSecurityOp]:
    """Return what the database's row security still needs to be what `tables` declare.

    `dropped` are tables that the same revision drops. All others that no model knows are not ours,
    whatever grants they have. `connection` is the owner's. Raises a SQLAlchemy DBAPIError where the
    server cannot tell whether a policy differs.
    """
    default_schema = connection.dialect.default_schema_name or "public"
    by_key = {(table.schema, table.name): table for table in tables}
    declared_schemas = {schema for schema, _ in by_key}
    dropped_schemas = {schema for schema, _ in dropped}
    needed = list(
        compare_schemas(connection, declared_schemas, dropped_schemas, row_security.roles)
    )
    schemas = {schema or default_schema for schema in declared_schemas | dropped_schemas | {None}}
    all_live = live_protections(connection, schemas, row_security.roles)
    all_wanted = {key: declared_protection(table, row_security) for key, table in by_key.items()}
    shares = list(
        compare_shares(
            connection,
            [wanted.shares for wanted in all_wanted.values()],
            all_wanted.keys() | set(dropped),
        )
    )
    tenancies = (wanted.tenancy for wanted in all_wanted.values() if wanted.tenancy is not None)
    tenancy = list(
        compare_tenancy(connection, next(tenancies, None), all_wanted.keys() | set(dropped))
    )
    needed += [*shares, *tenancy]
    remade = {one.function_name for one in shares if isinstance(one, DropShareFunctionOp)}
    remade |= {name for one in tenancy if isinstance(one, DropTenancyOp) for name in one.functions}
    makes_more = cache(
        lambda: (
            bool(shares or tenancy)
            or not functions.exist(connection)
            or _lacks_something(connection, by_key.values())
        )
    )
    for key in sorted({*all_wanted, *dropped}, key=lambda key: (key[0] or "", key[1])):
        live, wanted = all_live.get(key, Protection()), all_wanted.get(key, Protection())
        if key in all_live:
            wanted = _without_missing_sequences(wanted, live)
        needed += compare_table(
            connection,
            key,
            _without_unmanaged(live, by_key.get(key)),
            wanted,
            row_security.roles,
            remade=remade,
            makes_more=makes_more,
        )
    return needed


def _lacks_something(connection: Connection, tables: Iterable[Table]) -> bool:
    """Return whether one of the tables, or a column of it, is still to be made."""
    inspector = inspect(connection)
    for table in tables:
        if not inspector.has_table(table.name, table.schema):
            return True
        existing = {column["name"] for column in inspector.get_columns(table.name, table.schema)}
        if not existing.issuperset(column.name for column in table.columns):
            return True
    return False


def _without_unmanaged(live: Protection, table: Table | None) -> Protection:
    """Leave out the policies that a model names as unmanaged."""
    scope = scope_of(table) if table is not None else None
    if not isinstance(scope, Scope):
        return live
    policies = {n: p for n, p in live.policies.items() if n not in scope.unmanaged}
    return replace(live, policies=policies)


def _without_missing_sequences(wanted: Protection, live: Protection) -> Protection:
    """Leave out the sequence of a column that exists but was not made SERIAL: it has none."""
    sequences = {c: grants for c, grants in wanted.sequences.items() if c in live.sequences}
    return replace(wanted, sequences=sequences)
