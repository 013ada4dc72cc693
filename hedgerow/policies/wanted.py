"""How a table is protected: declared by the models, or found in the database; in one shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import MetaData, Table

from hedgerow.config.audit import AuditTrigger
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.policy import Policy
from hedgerow.policies.scope import Exempt, Scope, scope_of
from hedgerow.policies.standard import admin_policies, owner_policies, recording_policies

READ_AND_WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
READ = ("SELECT",)
DRAW = ("USAGE",)

TableKey = tuple[str | None, str]
"""Schema, None where it is the default one, and name."""

Grants = Mapping[str, tuple[str, ...]]
"""Privileges by role."""


@dataclass(frozen=True)
class Protection:
    """A table's row security, its policies by name, and who may do what, by role.

    Role names are the default ones; `grants` hold only what others than the owner were given.
    `sequences` hold the same of the sequences behind columns, by column. `trigger` says what the
    table records of admins' changes.
    """

    enabled: bool = False
    forced: bool = False
    policies: Mapping[str, Policy] = field(default_factory=dict)
    grants: Grants = field(default_factory=dict)
    sequences: Mapping[str, Grants] = field(default_factory=dict)
    trigger: AuditTrigger | None = None


def declared_protection(table: Table, row_security: RowSecurity) -> Protection:
    """Return what the models say of `table`.

    A table that is not scoped gets the same grants: row security, not privileges, tells users
    apart, and the application must reach it.
    """
    grants = {
        RoleNames.app: READ_AND_WRITE,
        RoleNames.admin: READ_AND_WRITE,
        RoleNames.read_only_admin: READ,
    }
    draw = {RoleNames.app: DRAW, RoleNames.admin: DRAW}
    sequences = dict.fromkeys(_serial_columns(table), draw)
    scope = scope_of(table)
    trigger = _audit_trigger(table, scope) if row_security.audit else None
    if not isinstance(scope, Scope):
        return Protection(grants=grants, sequences=sequences, trigger=trigger)
    owners = owner_policies(table.name, scope.owner_column) if scope.owner_column else ()
    own = (policy.rendered(table) for policy in scope.policies)
    recording = recording_policies(table.name, table.schema) if trigger is not None else ()
    policies = (*owners, *admin_policies(table.name), *recording, *own)
    return Protection(
        enabled=row_security.enabled,
        forced=row_security.force,
        policies={policy.name: policy for policy in policies},
        grants=grants,
        sequences=sequences,
        trigger=trigger,
    )


def _audit_trigger(table: Table, scope: Scope | Exempt | None) -> AuditTrigger | None:
    if scope is None or scope.recorded is None:
        return None
    return AuditTrigger(
        key=tuple(column.name for column in table.primary_key),
        owner=scope.owner_column if isinstance(scope, Scope) else None,
        values=tuple(sorted(scope.recorded.values)),
    )


def _serial_columns(table: Table) -> tuple[str, ...]:
    """Return the column that SQLAlchemy makes SERIAL; IDENTITY needs no grant on its sequence."""
    column = table.autoincrement_column
    if column is None or column.identity or column.server_default or column.default:
        return ()
    return (column.name,)


def declared_protections(
    metadata: MetaData, row_security: RowSecurity
) -> Mapping[TableKey, Protection]:
    """Return what the models say of each table."""
    return {
        (table.schema, table.name): declared_protection(table, row_security)
        for table in metadata.tables.values()
    }
