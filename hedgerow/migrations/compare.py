"""Find where a table's protection in the database differs from what the models declare."""

from collections.abc import Callable, Collection, Iterable, Iterator

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.audit import CreateAuditTriggerOp
from hedgerow.migrations.grants import (
    GrantSequenceOp,
    GrantTableOp,
    RevokeSequenceOp,
    RevokeTableOp,
)
from hedgerow.migrations.operation import RowSecurityOp
from hedgerow.migrations.operations import (
    CreatePolicyOp,
    DisableOp,
    EnableOp,
    ForceOp,
    NoForceOp,
)
from hedgerow.migrations.references import (
    CreateReferenceCheckOp,
    CreateShareFunctionOp,
    DropShareFunctionOp,
)
from hedgerow.migrations.tenancy import CreateTenancyOp, DropTenancyOp
from hedgerow.policies.live import policy_as_the_server_sees_it, trigger_would_change
from hedgerow.policies.live_references import live_shares, would_change
from hedgerow.policies.live_tenancy import altered, live_tenancy
from hedgerow.policies.policy import Policy, create_policy_statement, drop_policy_statement
from hedgerow.policies.references import ReferenceCheck, drop_statements
from hedgerow.policies.shares import ShareFunction
from hedgerow.policies.tenancy import Tenancy
from hedgerow.policies.wanted import Grants, Protection, TableKey

_UNDEFINED = {"42703", "42P01", "42883", "3F000"}
"""SQLSTATEs of a column, table, function or schema that does not exist."""


def compare_table(
    connection: Connection,
    key: TableKey,
    live: Protection,
    wanted: Protection,
    roles: RoleNames,
    *,
    remade: Collection[str],
    makes_more: Callable[[], bool],
) -> Iterator[RowSecurityOp]:
    """Yield what makes a table's protection, as it is in the database, what the models want.

    `remade` are the functions in schema `rls` that the same revision drops and makes anew: the
    policies that call them go and come with them. `makes_more` says whether it makes tables,
    columns or functions, which policies may name.

    Raises a SQLAlchemy DBAPIError where the server cannot tell whether a policy differs.
    """
    yield from _removals(key, live, wanted)
    yield from _additions(key, live, wanted)
    schema, table = key
    calls_remade = {n for n, p in live.policies.items() if _calls(p, remade)} & set(wanted.policies)
    altered = _altered_policies(
        connection, key, live, wanted, roles, but=calls_remade, makes_more=makes_more
    )
    for name in (*sorted(calls_remade), *altered):
        yield CreatePolicyOp.of(live.policies[name], table, schema).reverse()
        yield CreatePolicyOp.of(wanted.policies[name], table, schema)
    for name, check in wanted.references.items():
        if live.references.get(name) == check and _is_another_check(connection, key, check):
            create_check = CreateReferenceCheckOp.of(check, table, schema)
            yield create_check.reverse()
            yield create_check
    if wanted.trigger is not None and live.trigger == wanted.trigger:
        create = CreateAuditTriggerOp.of(wanted.trigger, table, schema)
        if _is_another_trigger(connection, create, roles):
            yield create.reverse()
            yield create


def _removals(key: TableKey, live: Protection, wanted: Protection) -> Iterator[RowSecurityOp]:
    schema, table = key
    if live.trigger is not None and live.trigger != wanted.trigger:
        yield CreateAuditTriggerOp.of(live.trigger, table, schema).reverse()
    for name, check in live.references.items():
        if wanted.references.get(name) != check:
            yield CreateReferenceCheckOp.of(check, table, schema).reverse()
    for name, policy in live.policies.items():
        if name not in wanted.policies:
            yield CreatePolicyOp.of(policy, table, schema).reverse()
    if live.forced and not wanted.forced:
        yield NoForceOp(table, schema=schema)
    if live.enabled and not wanted.enabled:
        yield DisableOp(table, schema=schema)
    for role, surplus in _beyond(live.grants, wanted.grants):
        yield RevokeTableOp(table, surplus, role=role, schema=schema)
    for column, grants in live.sequences.items():
        for role, surplus in _beyond(grants, wanted.sequences.get(column, {})):
            yield RevokeSequenceOp(table, column, surplus, role=role, schema=schema)


def _additions(key: TableKey, live: Protection, wanted: Protection) -> Iterator[RowSecurityOp]:
    schema, table = key
    for role, missing in _beyond(wanted.grants, live.grants):
        yield GrantTableOp(table, missing, role=role, schema=schema)
    for column, grants in wanted.sequences.items():
        for role, missing in _beyond(grants, live.sequences.get(column, {})):
            yield GrantSequenceOp(table, column, missing, role=role, schema=schema)
    if wanted.enabled and not live.enabled:
        yield EnableOp(table, schema=schema)
    if wanted.forced and not live.forced:
        yield ForceOp(table, schema=schema)
    for name, policy in wanted.policies.items():
        if name not in live.policies:
            yield CreatePolicyOp.of(policy, table, schema)
    for name, check in wanted.references.items():
        if live.references.get(name) != check:
            yield CreateReferenceCheckOp.of(check, table, schema)
    if wanted.trigger is not None and live.trigger != wanted.trigger:
        yield CreateAuditTriggerOp.of(wanted.trigger, table, schema)


def compare_shares(
    connection: Connection, wanted: Iterable[ShareFunction | None], ours: Collection[TableKey]
) -> Iterator[DropShareFunctionOp | CreateShareFunctionOp]:
    """Yield what makes the functions that tell of shares what the models want.

    Those that read another table than `ours` are left alone. A function that differs is dropped
    and made anew, for it keeps the columns that it reads from being dropped (P61).
    """
    live = live_shares(connection)
    by_name = {shares.name: shares for shares in wanted if shares is not None}
    for name, shares in live.items():
        if name not in by_name and (shares.schema, shares.table) in ours:
            yield CreateShareFunctionOp.of(shares).reverse()
    for name, shares in by_name.items():
        create = CreateShareFunctionOp.of(shares)
        if name not in live:
            yield create
        elif live[name] != shares or would_change(
            connection, (), shares.create_statements(), name, None
        ):
            yield CreateShareFunctionOp.of(live[name]).reverse()
            yield create


def compare_tenancy(
    connection: Connection, wanted: Tenancy | None, ours: Collection[TableKey]
) -> Iterator[DropTenancyOp | CreateTenancyOp]:
    """Yield what makes functions and triggers of members and tenants what the models want.

    Those of another table of memberships than `ours` are left alone. What differs is dropped and
    made anew, for it keeps the columns that it reads from being dropped (P61).
    """
    live = live_tenancy(connection)
    if live is not None:
        is_ours = (live.schema, live.members) in ours or wanted is not None
        if not is_ours or (live == wanted and not altered(connection, live)):
            return
        yield CreateTenancyOp.of(live).reverse()
    if wanted is not None:
        yield CreateTenancyOp.of(wanted)


def _altered_policies(
    connection: Connection,
    key: TableKey,
    live: Protection,
    wanted: Protection,
    roles: RoleNames,
    *,
    but: Collection[str],
    makes_more: Callable[[], bool],
) -> Iterator[str]:
    """Yield the name of each policy, `but` those, that exists and is not as wanted.

    The server judges: what is wanted is created in a savepoint and read back, so that spelling does
    not matter and a changed condition is seen (P38). An error there is raised (P39), but for what
    this same revision will add.
    """
    schema, table = key
    target = sql.table_name(table, schema)
    for name in (name for name in wanted.policies if name in live.policies and name not in but):
        try:
            seen = policy_as_the_server_sees_it(
                connection,
                create=create_policy_statement(wanted.policies[name], table, schema, roles),
                drop=drop_policy_statement(name, table, schema),
                table=target,
                name=name,
                roles=roles,
            )
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _UNDEFINED or not makes_more():
                raise
            yield name
        else:
            if _facts(seen) != _facts(live.policies[name]):
                yield name


def _is_another_trigger(
    connection: Connection, create: CreateAuditTriggerOp, roles: RoleNames
) -> bool:
    """Return whether the table's audit trigger is not ours, or is off, though its arguments fit."""
    (create_statement,) = create.statements(roles)
    (drop_statement,) = create.reverse().statements(roles)
    return trigger_would_change(
        connection,
        create=create_statement,
        drop=drop_statement,
        table=sql.table_name(create.table_name, create.schema),
    )


def _is_another_check(connection: Connection, key: TableKey, check: ReferenceCheck) -> bool:
    """Return whether a key's trigger is not ours, or is off, though its arguments fit."""
    schema, table = key
    return would_change(
        connection,
        drop=drop_statements(table, schema, check.columns, check.function),
        create=check.create_statements(table, schema),
        name=check.name,
        table=sql.table_name(table, schema),
    )


def _calls(policy: Policy, functions: Collection[str]) -> bool:
    """Return whether a policy, as the server shows it, calls one of the functions in `rls`."""
    conditions = f"{policy.using} {policy.with_check}"
    return any(f"rls.{sql.name(name)}(" in conditions for name in functions)


def _facts(policy: Policy) -> tuple[object, ...]:
    return (
        policy.command,
        sorted(policy.roles),
        policy.using,
        policy.with_check,
        policy.permissive,
    )


def _beyond(grants: Grants, allowed: Grants) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each role's privileges in `grants` that it does not have in `allowed`."""
    for role, privileges in grants.items():
        if more := tuple(p for p in privileges if p not in allowed.get(role, ())):
            yield role, more
