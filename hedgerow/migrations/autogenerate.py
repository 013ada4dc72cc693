"""Let autogenerate and `alembic check` see row security as they see columns."""

from collections.abc import Iterable
from dataclasses import replace

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import UpgradeOps
from alembic.util import PriorityDispatchResult
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.exc import DBAPIError

from hedgerow.audit import functions as audit_functions
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import first_line
from hedgerow.errors import DriftError
from hedgerow.migrations.audit import CreateAuditOp, CreateAuditTriggerOp, DropAuditOp
from hedgerow.migrations.compare import compare_table
from hedgerow.migrations.operation import ROW_SECURITY_OPTION, RowSecurityOp
from hedgerow.migrations.operations import CreateFunctionsOp, CreatePolicyOp
from hedgerow.migrations.schemas import compare_schemas, used_schemas
from hedgerow.policies.live import live_protections
from hedgerow.policies.scope import Scope, check_declarations, scope_of
from hedgerow.policies.wanted import Protection, TableKey, declared_protections
from hedgerow.provisioning import functions
from hedgerow.provisioning.drift import drifted_functions, drifted_roles


def compare_row_security(context: AutogenContext, upgrade: UpgradeOps) -> PriorityDispatchResult:
    """Add to a revision what row security needs.

    Roles and functions are not history: `alembic upgrade head` fixes them without a revision, so
    where they differ that is what to run. Raises DriftError then, and where the server could not
    tell whether a policy differs; ConfigurationError where the models contradict themselves.
    """
    connection, metadata = context.connection, context.metadata
    row_security = context.opts.get(ROW_SECURITY_OPTION)
    if row_security is None or connection is None or not isinstance(metadata, MetaData):
        return PriorityDispatchResult.CONTINUE
    check_declarations(metadata)
    has_functions = functions.exist(connection)
    drifted = drifted_roles(connection, row_security)
    try:
        if has_functions:
            drifted += drifted_functions(connection, row_security)
        if drifted:
            fix = "Run `alembic upgrade head`, which fixes what is Hedgerow's."
            raise DriftError(" ".join([*drifted, fix]))
        needed = differences(connection, metadata, row_security)
    except DBAPIError as error:
        raise DriftError(f"Row security cannot be compared: {first_line(error)}") from error
    has_audit = has_functions and audit_functions.exist(connection)
    calls_functions = any(isinstance(op, CreatePolicyOp | CreateAuditTriggerOp) for op in needed)
    if row_security.audit is not None and not has_audit and (has_functions or calls_functions):
        needed.insert(0, CreateAuditOp())
    if not has_functions and calls_functions:
        needed.insert(0, CreateFunctionsOp(id_type=row_security.id_type))
    if row_security.audit is None and has_audit:
        needed.append(DropAuditOp())
    before, after = around_tables(needed)
    upgrade.ops[:0] = before
    upgrade.ops.extend(after)
    return PriorityDispatchResult.CONTINUE


def around_tables(
    operations: Iterable[RowSecurityOp],
) -> tuple[list[RowSecurityOp], list[RowSecurityOp]]:
    """Part `operations` into those to run before columns and tables change, and those after."""
    before: list[RowSecurityOp] = []
    after: list[RowSecurityOp] = []
    for operation in operations:
        (before if operation.before_tables else after).append(operation)
    return before, after


def differences(
    connection: Connection, metadata: MetaData, row_security: RowSecurity
) -> list[RowSecurityOp]:
    """Return what the database's row security still needs to be what the models declare.

    `connection` is the owner's. Raises a SQLAlchemy DBAPIError where the server cannot tell whether
    a policy differs.
    """
    default_schema = connection.dialect.default_schema_name or "public"
    declared_schemas = {table.schema for table in metadata.tables.values()}
    needed = list(compare_schemas(connection, declared_schemas, row_security.roles))
    schemas = {schema or default_schema for schema in declared_schemas | {None}}
    schemas |= used_schemas(connection, row_security.roles)
    all_live = live_protections(connection, schemas, row_security.roles)
    all_wanted = declared_protections(metadata, row_security)
    for key in sorted({*all_live, *all_wanted}, key=lambda key: (key[0] or "", key[1])):
        live, wanted = all_live.get(key, Protection()), all_wanted.get(key, Protection())
        if key not in all_wanted and not _was_ours(live):
            continue
        table = metadata.tables.get(_metadata_key(key))
        if key in all_live:
            wanted = _without_missing_sequences(wanted, live)
        needed += compare_table(
            connection,
            key,
            _without_unmanaged(live, table),
            wanted,
            [] if table is None else [column.name for column in table.columns],
            row_security.roles,
        )
    return needed


def _was_ours(live: Protection) -> bool:
    """Tell a table whose model is gone from one that the models never knew."""
    return bool(live.policies or live.grants)


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


def _metadata_key(key: TableKey) -> str:
    schema, name = key
    return f"{schema}.{name}" if schema else name
