"""Let autogenerate and `alembic check` see row security as they see columns."""

from dataclasses import replace

from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation
from alembic.operations.ops import UpgradeOps
from alembic.util import PriorityDispatchResult
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from hedgerow.audit import functions as audit_functions
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import first_line
from hedgerow.errors import DriftError
from hedgerow.migrations import render  # noqa: F401  (registers how operations are written
from hedgerow.migrations.audit import (
    CreateAuditOp,
    CreateAuditTriggerOp,
    DropAuditOp,
    DropAuditTriggerOp,
)
from hedgerow.migrations.compare import additions, changed_policies, has_altered_trigger, removals
from hedgerow.migrations.operations import (
    ROW_SECURITY_OPTION,
    CreateFunctionsOp,
    CreatePolicyOp,
    DropPolicyOp,
)
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
        first, last = differences(connection, metadata, row_security)
    except DBAPIError as error:
        raise DriftError(f"Row security cannot be compared: {first_line(error)}") from error
    has_audit = has_functions and audit_functions.exist(connection)
    calls_functions = any(isinstance(op, CreatePolicyOp | CreateAuditTriggerOp) for op in last)
    if row_security.audit is not None and not has_audit and (has_functions or calls_functions):
        first.insert(0, CreateAuditOp())
    if not has_functions and calls_functions:
        first.insert(0, CreateFunctionsOp(row_security.id_type))
    if row_security.audit is None and has_audit:
        last.append(DropAuditOp())
    upgrade.ops[:0] = first
    upgrade.ops.extend(last)
    return PriorityDispatchResult.CONTINUE


def differences(
    connection: Connection, metadata: MetaData, row_security: RowSecurity
) -> tuple[list[MigrateOperation], list[MigrateOperation]]:
    """Return what the database's row security still needs to be what the models declare.

    The first list is for before columns and tables change, the second for after. `connection` is
    the owner's. Raises a SQLAlchemy DBAPIError where the server cannot tell whether a policy
    differs.
    """
    default_schema = connection.dialect.default_schema_name or "public"
    declared_schemas = {table.schema for table in metadata.tables.values()}
    first, last = compare_schemas(connection, declared_schemas, row_security.roles)
    schemas = {schema or default_schema for schema in declared_schemas | {None}}
    schemas |= used_schemas(connection, row_security.roles)
    live = live_protections(connection, schemas, row_security.roles)
    wanted = declared_protections(metadata, row_security)
    for key in sorted({*live, *wanted}, key=lambda key: (key[0] or "", key[1])):
        if key not in wanted and not _was_ours(live[key]):
            continue
        now, then = live.get(key, Protection()), wanted.get(key, Protection())
        now = _without_unmanaged(now, metadata, key)
        if key in live:
            # No sequence where a column that exists was not made SERIAL: nothing to grant.
            own = {column: g for column, g in then.sequences.items() if column in now.sequences}
            then = replace(then, sequences=own)
        first += removals(key, now, then)
        last += additions(key, now, then)
        if key in live and key in wanted:
            table = metadata.tables[_metadata_key(key)]
            columns = [column.name for column in table.columns]
            for old, new in changed_policies(
                connection, key, now, then, columns, row_security.roles
            ):
                first.append(DropPolicyOp(table.name, old, schema=table.schema))
                last.append(CreatePolicyOp(table.name, new, schema=table.schema))
            if now.trigger and has_altered_trigger(connection, key, now, then, row_security.roles):
                first.append(DropAuditTriggerOp(table.name, now.trigger, schema=table.schema))
                last.append(CreateAuditTriggerOp(table.name, now.trigger, schema=table.schema))
    return first, last


def _was_ours(live: Protection) -> bool:
    """Tell a table whose model is gone from one that the models never knew."""
    return bool(live.policies or live.grants)


def _without_unmanaged(live: Protection, metadata: MetaData, key: TableKey) -> Protection:
    """Leave out the policies that a model names as unmanaged."""
    table = metadata.tables.get(_metadata_key(key))
    scope = scope_of(table) if table is not None else None
    if not isinstance(scope, Scope) or not scope.unmanaged:
        return live
    policies = {n: p for n, p in live.policies.items() if n not in scope.unmanaged}
    return replace(live, policies=policies)


def _metadata_key(key: TableKey) -> str:
    schema, name = key
    return f"{schema}.{name}" if schema else name
