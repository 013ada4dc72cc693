"""What a migration would still change of the scoped tables, as findings of H105."""

from collections.abc import Iterable, Iterator, Sequence

from alembic.operations import MigrateOperation

from hedgerow import sql
from hedgerow.audit.triggers import NAME
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.tenancy_drift import ASKED, tenancy_differences
from hedgerow.checks.unfiltered_privilege import UNFILTERED
from hedgerow.findings import Finding
from hedgerow.migrations.audit import CreateAuditTriggerOp, DropAuditTriggerOp
from hedgerow.migrations.autogenerate import differences
from hedgerow.migrations.grants import (
    GrantSequenceOp,
    GrantTableOp,
    RevokeSequenceOp,
    RevokeTableOp,
)
from hedgerow.migrations.operation import RowSecurityOp
from hedgerow.migrations.operations import CreatePolicyOp, DropPolicyOp
from hedgerow.migrations.references import (
    CreateReferenceCheckOp,
    CreateShareFunctionOp,
    DropReferenceCheckOp,
    DropShareFunctionOp,
)
from hedgerow.migrations.tenancy import CreateTenancyOp, DropTenancyOp

_Privilege = GrantTableOp | RevokeTableOp | GrantSequenceOp | RevokeSequenceOp


def schema_differences(inspection: Inspection) -> Iterator[Finding]:
    """Find what a migration would still have to change, or what was changed by hand.

    A condition that was altered under its old name goes unseen by tools that compare names, so the
    server compares: what is declared is created in a savepoint and read back.
    """
    scoped = {(table.schema, table.name) for table, _ in inspection.scoped}
    triggers: dict[tuple[str | None, str], list[RowSecurityOp]] = {}
    policies: dict[tuple[str, str], list[RowSecurityOp]] = {}
    references: dict[tuple[str, tuple[str, ...]], list[RowSecurityOp]] = {}
    functions: dict[str, list[RowSecurityOp]] = {}
    tenancy: list[RowSecurityOp] = []
    for operation in differences(
        inspection.as_owner(), inspection.metadata.tables.values(), inspection.row_security
    ):
        match operation:
            case DropPolicyOp() | CreatePolicyOp():
                key = sql.table_name(operation.table_name, operation.schema)
                policies.setdefault((key, operation.policy_name), []).append(operation)
            case GrantTableOp() | RevokeTableOp() | GrantSequenceOp() | RevokeSequenceOp():
                is_scoped = (operation.schema, operation.table_name) in scoped
                if is_scoped and not set(operation.privileges).issubset(UNFILTERED):
                    yield _privilege(operation, inspection)
            case CreateAuditTriggerOp() | DropAuditTriggerOp():
                subject = (operation.schema, operation.table_name)
                triggers.setdefault(subject, []).append(operation)
            case CreateReferenceCheckOp() | DropReferenceCheckOp():
                key = sql.table_name(operation.table_name, operation.schema)
                references.setdefault((key, tuple(operation.columns)), []).append(operation)
            case CreateShareFunctionOp() | DropShareFunctionOp():
                functions.setdefault(operation.function_name, []).append(operation)
            case CreateTenancyOp() | DropTenancyOp():
                tenancy.append(operation)
            case _:
                pass  # ENABLE and FORCE are H104's, what no policy filters is H115's
    for function, operations in functions.items():
        yield _share_function(function, operations, inspection)
    if tenancy:
        yield from tenancy_differences(inspection)
    for (table, name), operations in policies.items():
        # Those that ask an altered function are right again with it.
        if len(operations) > 1 and _asks(operations[-1], functions):
            continue
        # What brings the functions of tenants back brings those that ask them, too.
        if tenancy and _asks(operations[-1], ASKED):
            continue
        yield _policy(table, name, operations, inspection)
    for (table, columns), operations in references.items():
        yield _reference(table, columns, operations, inspection)
    for (schema, table), changes in triggers.items():
        if len(changes) > 1 or isinstance(changes[0], DropAuditTriggerOp):  # a missing one: H126
            yield _trigger(sql.table_name(table, schema), changes, inspection)


def _policy(
    table: str, name: str, operations: Sequence[RowSecurityOp], inspection: Inspection
) -> Finding:
    match operations:
        case [DropPolicyOp()]:
            what = "is declared by no model: it may let rows through that should be hidden"
        case [_]:
            what = "is declared by a model but missing: only the other policies decide"
        case _:
            what = "differs from the model: users see other rows than the code says"
    return Finding(
        subject=f"{table}.{name}",
        sentence=f"Policy {name!r} of table {table!r} {what}.",
        fix=_statements(operations, inspection),
    )


def _asks(operation: RowSecurityOp, functions: Iterable[str]) -> bool:
    conditions = getattr(operation, "using", None), getattr(operation, "with_check", None)
    return any(
        f"rls.{sql.name(function)}(" in str(condition)
        for function in functions
        for condition in conditions
    )


def _share_function(
    function: str, operations: Sequence[RowSecurityOp], inspection: Inspection
) -> Finding:
    # Policies call it, so it is replaced and not dropped.
    made = [one for one in operations if isinstance(one, CreateShareFunctionOp)]
    what = "is declared by no model: through it a request learns what is shared"
    if made:
        what = "is missing or altered: it decides which shared rows a user sees"
    return Finding(
        subject=f"rls.{function}(boolean)",
        sentence=f"Function 'rls.{function}' {what}.",
        fix=_statements(made or operations, inspection),
    )


def _reference(
    table: str,
    columns: tuple[str, ...],
    operations: Sequence[RowSecurityOp],
    inspection: Inspection,
) -> Finding:
    key = ", ".join(columns)
    match operations:
        case [DropReferenceCheckOp()]:
            what = "which no model declares: writing may be refused"
        case [_]:
            what = "but that is missing: a row can be hung on another user's"
        case _:
            what = "but that is altered or off: a row can be hung on another user's"
    return Finding(
        subject=f"{table} ({key})",
        sentence=f"The key {key!r} of table {table!r} is checked against what its writer sees,"
        f" {what}.",
        fix=_statements(operations, inspection),
    )


def _trigger(table: str, changes: Sequence[RowSecurityOp], inspection: Inspection) -> Finding:
    return Finding(
        subject=f"{table}.{NAME}",
        sentence=f"The audit trigger of table {table!r} differs from the model: it records too"
        " little of what admins do, or too much.",
        fix=_statements(changes, inspection),
    )


def _privilege(operation: _Privilege, inspection: Inspection) -> Finding:
    role = inspection.row_security.roles.deployed(operation.role)
    table = sql.table_name(operation.table_name, operation.schema)
    granted = "has" if isinstance(operation, RevokeTableOp | RevokeSequenceOp) else "lacks"
    return Finding(
        subject=f"{table} {role}",
        sentence=f"Role {role!r} {granted} {', '.join(operation.privileges)} on table {table!r},"
        " which differs from the models.",
        fix=_statements([operation], inspection),
    )


def _statements(operations: Sequence[MigrateOperation], inspection: Inspection) -> str:
    roles = inspection.row_security.roles
    return " ".join(
        f"{statement};"
        for operation in operations
        if isinstance(operation, RowSecurityOp)
        for statement in operation.statements(roles)
    )
