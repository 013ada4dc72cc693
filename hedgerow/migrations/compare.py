"""Find where a database's row security differs from what the models declare."""

from collections.abc import Collection, Iterator

from alembic.operations import MigrateOperation
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.audit.triggers import create_trigger_statement, drop_trigger_statement
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.audit import CreateAuditTriggerOp, DropAuditTriggerOp
from hedgerow.migrations.grants import (
    GrantSequenceOp,
    GrantTableOp,
    RevokeSequenceOp,
    RevokeTableOp,
)
from hedgerow.migrations.operations import (
    CreatePolicyOp,
    DisableOp,
    DropPolicyOp,
    EnableOp,
    ForceOp,
    NoForceOp,
)
from hedgerow.policies.live import policy_as_the_server_sees_it, trigger_would_change
from hedgerow.policies.policy import Policy, create_policy_statement, drop_policy_statement
from hedgerow.policies.wanted import Grants, Protection, TableKey

_UNDEFINED_COLUMN = "42703"


def removals(key: TableKey, live: Protection, wanted: Protection) -> Iterator[MigrateOperation]:
    """Yield what must go, before columns that policies mention or the table itself are dropped."""
    schema, table = key
    if live.trigger is not None and live.trigger != wanted.trigger:
        yield DropAuditTriggerOp(table, live.trigger, schema=schema)
    for name, policy in live.policies.items():
        if name not in wanted.policies:
            yield DropPolicyOp(table, policy, schema=schema)
    if live.forced and not wanted.forced:
        yield NoForceOp(table, schema=schema)
    if live.enabled and not wanted.enabled:
        yield DisableOp(table, schema=schema)
    for role, surplus in _beyond(live.grants, wanted.grants):
        yield RevokeTableOp((table,), surplus, role, schema)
    for column, grants in live.sequences.items():
        for role, surplus in _beyond(grants, wanted.sequences.get(column, {})):
            yield RevokeSequenceOp((table, column), surplus, role, schema)


def additions(key: TableKey, live: Protection, wanted: Protection) -> Iterator[MigrateOperation]:
    """Yield what is missing, to come after the tables and columns that it mentions."""
    schema, table = key
    for role, missing in _beyond(wanted.grants, live.grants):
        yield GrantTableOp((table,), missing, role, schema)
    for column, grants in wanted.sequences.items():
        for role, missing in _beyond(grants, live.sequences.get(column, {})):
            yield GrantSequenceOp((table, column), missing, role, schema)
    if wanted.enabled and not live.enabled:
        yield EnableOp(table, schema=schema)
    if wanted.forced and not live.forced:
        yield ForceOp(table, schema=schema)
    for name, policy in wanted.policies.items():
        if name not in live.policies:
            yield CreatePolicyOp(table, policy, schema=schema)
    if wanted.trigger is not None and live.trigger != wanted.trigger:
        yield CreateAuditTriggerOp(table, wanted.trigger, schema=schema)


def has_altered_trigger(
    connection: Connection,
    key: TableKey,
    live: Protection,
    wanted: Protection,
    roles: RoleNames,
) -> bool:
    """Return whether a table's audit trigger has the right arguments but is not ours, or is off."""
    schema, table = key
    if wanted.trigger is None or live.trigger != wanted.trigger:
        return False
    return trigger_would_change(
        connection,
        create=create_trigger_statement(wanted.trigger, table, schema, roles),
        drop=drop_trigger_statement(table, schema),
        table=sql.table_name(table, schema),
    )


def changed_policies(
    connection: Connection,
    key: TableKey,
    live: Protection,
    wanted: Protection,
    wanted_columns: Collection[str],
    roles: RoleNames,
) -> Iterator[tuple[Policy, Policy]]:
    """Yield each policy that exists under its name but differs, as it is and as it should be.

    The server judges: what is wanted is created in a savepoint and read back, so that spelling does
    not matter and a changed condition is seen (P38). An error there is raised (P39), but for a
    column that this same revision will add.
    """
    schema, table = key
    target = sql.table_name(table, schema)
    for name, policy in wanted.policies.items():
        if name not in live.policies:
            continue
        try:
            seen = policy_as_the_server_sees_it(
                connection,
                create=create_policy_statement(policy, table, schema, roles),
                drop=drop_policy_statement(name, table, schema),
                table=target,
                name=name,
                roles=roles,
            )
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _UNDEFINED_COLUMN:
                raise
            existing = {column["name"] for column in inspect(connection).get_columns(table, schema)}
            if existing.issuperset(wanted_columns):
                raise
            yield live.policies[name], policy
        else:
            if _facts(seen) != _facts(live.policies[name]):
                yield live.policies[name], policy


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
