"""How a table is protected: declared by the models, or found in the database; in one shape."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.config.audit import AuditTrigger
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import ConfigurationError
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.non_users import non_user_policies, services_by_command
from hedgerow.policies.options import ALL_COMMANDS
from hedgerow.policies.policy import Policy
from hedgerow.policies.references import ReferenceCheck, reference_checks
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import ShareFunction, share_function, shares_held_in
from hedgerow.policies.standard import admin_policies, recording_policies, user_policies
from hedgerow.policies.tenancy import Tenancy, tenancy_of

DRAW = ("USAGE",)

TableKey = tuple[str | None, str]
"""Schema, None where it is the default one, and name."""

Privileges = tuple[str, ...]
"""As GRANT spells them, one on a column as `UPDATE (title)`."""

Grants = Mapping[str, Privileges]
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
    references: Mapping[str, ReferenceCheck] = field(default_factory=dict)
    """The keys whose writer must see what they refer to, by the name of the trigger."""
    shares: ShareFunction | None = None
    tenancy: Tenancy | None = None
    """What makes members and tenants, of the table of memberships."""


def declared_protection(table: Table, row_security: RowSecurity) -> Protection:
    """Return what the models say of `table`; a table of which they say nothing is closed.

    Raises ConfigurationError where its declaration names what does not exist.
    """
    scope = scope_of(table)
    if scope is None:
        return Protection()
    trigger = _audit_trigger(table, scope) if row_security.audit else None
    grants = granted_privileges(table, scope)
    if isinstance(scope, Exempt):
        return Protection(grants=grants, sequences=_sequence_grants(table, grants), trigger=trigger)
    own = (policy.rendered(table) for policy in scope.policies)
    recording = _recording_policies(table, scope) if trigger is not None else ()
    policies = (
        *user_policies(table, scope),
        *non_user_policies(table, scope),
        *admin_policies(table.name),
        *recording,
        *own,
    )
    _check_names(table, policies)
    return Protection(
        enabled=row_security.enabled,
        forced=is_forced(table, row_security),
        policies={policy.name: policy for policy in policies},
        grants=grants,
        sequences=_sequence_grants(table, grants),
        trigger=trigger,
        references=reference_checks(table, scope),
        shares=share_function(table, scope),
        tenancy=tenancy_of(table.metadata) if scope.member_rows else None,
    )


def _recording_policies(table: Table, scope: Scope) -> tuple[Policy, ...]:
    writing = services_by_command(scope).keys() - {"SELECT"}
    return recording_policies(table.name, table.schema, services=bool(writing))


def _check_names(table: Table, policies: Iterable[Policy]) -> None:
    counted = Counter(policy.name for policy in policies)
    if twice := [name for name, count in counted.items() if count > 1]:
        raise ConfigurationError(
            f"Table {table.fullname!r} has two policies named {twice[0]!r}: give the one in"
            " Scope(policies=…) another name."
        )


def is_forced(table: Table, row_security: RowSecurity) -> bool:
    """Return whether policies shall apply to a scoped table's owner too.

    Never where rows share others, or are tenants or their members: the owner's functions that tell
    of them have to see them all.
    """
    tenancy = tenancy_of(table.metadata)
    held = tenancy and (tenancy.is_members_table(table) or tenancy.is_tenants_table(table))
    return row_security.force and not held and not shares_held_in(table)


def user_privileges(table: Table, scope: Scope) -> Privileges:
    """Return what the application may do: no more than some policy lets some row through for.

    UPDATE is granted on the columns that may change, where not all of them may.
    """
    users = {RoleNames.app, "public"}
    open_to_users = {
        policy.command
        for policy in (*user_policies(table, scope), *scope.policies)
        if policy.permissive and users & set(policy.roles)
    }
    granted = [
        command
        for command in ALL_COMMANDS
        if command in scope.commands
        and (scope.unmanaged or command in open_to_users or "ALL" in open_to_users)
    ]
    kept = kept_columns(table, scope)
    if not kept or "UPDATE" not in granted:
        return tuple(granted)
    columns = (column.name for column in table.columns if column.name not in kept)
    granted.remove("UPDATE")
    return (*granted, *sorted(f"UPDATE ({sql.name(column)})" for column in columns))


def kept_columns(table: Table, scope: Scope) -> frozenset[str]:
    """Return the columns of a scoped table that nobody but admins changes.

    Beside `admin_only` these are the key of a row that is a user, owner and key of one that is
    shared for writing, and of whom a membership is: a policy cannot compare the new row with the
    old one, so whoever may write could take it, or make somebody a member who has not agreed. The
    tenant of a row is kept too: who may write could take it out of the tenant, without the right to
    delete.
    """
    kept = frozenset(scope.admin_only)
    if scope.tenant_rows is not None and scope.tenant_rows.column is not None:
        kept |= {scope.tenant_rows.column}
    if scope.member_rows is not None:
        kept |= {scope.member_rows.tenant, scope.member_rows.user}
    if scope.is_user and scope.owner_column is not None:
        kept |= {scope.owner_column}
    shares = share_function(table, scope)
    if shares is None or shares.write is None or scope.owner_column is None:
        return kept
    return kept | {scope.owner_column, shares.shared_key}


def granted_privileges(table: Table, scope: Scope | Exempt) -> Grants:
    """Return what each database role may do with a table that declares `scope`."""
    services = tuple(services_by_command(scope))
    secret: Set[str] = frozenset()
    sign_in: Privileges = ()
    if isinstance(scope, Exempt):
        users: Privileges = tuple(one for one in ALL_COMMANDS if one in scope.commands)
        admins = users
    else:
        users, admins, secret = user_privileges(table, scope), ALL_COMMANDS, scope.secret
        if scope.sign_in_column is not None:
            sign_in = ("SELECT", "INSERT") if "INSERT" in scope.commands else ("SELECT",)
    readers = tuple(command for command in admins if command == "SELECT")
    by_role = {
        RoleNames.app: users,
        RoleNames.admin: _without(secret, table, admins),
        RoleNames.read_only_admin: _without(secret, table, readers),
        RoleNames.sign_in: sign_in,
        RoleNames.anonymous: ("SELECT",) if scope.public else (),
        RoleNames.service: _without(secret, table, services),
        # Or a dump by the maintenance role, which is an admin, would fail.
        RoleNames.maintenance: ("SELECT",) if secret else (),
    }
    return {role: privileges for role, privileges in by_role.items() if privileges}


def _without(secret: Set[str], table: Table, privileges: Privileges) -> Privileges:
    """Return the privileges with SELECT on the columns that are not secret, where some are."""
    if not secret or "SELECT" not in privileges:
        return privileges
    readable = (column.name for column in table.columns if column.name not in secret)
    others = (one for one in privileges if one != "SELECT")
    return (*others, *sorted(f"SELECT ({sql.name(column)})" for column in readable))


def _sequence_grants(table: Table, grants: Grants) -> Mapping[str, Grants]:
    """Return who may draw the numbers of the column that SQLAlchemy makes SERIAL."""
    draw = {role: DRAW for role, privileges in grants.items() if "INSERT" in privileges}
    return dict.fromkeys(_serial_columns(table), draw)


def _audit_trigger(table: Table, scope: Scope | Exempt | None) -> AuditTrigger | None:
    if scope is None or scope.recorded is None:
        return None
    owner, tenant = _whose(scope) if isinstance(scope, Scope) else (None, None)
    return AuditTrigger(
        key=tuple(column.name for column in table.primary_key),
        owner=owner,
        values=tuple(sorted(scope.recorded.values)),
        tenant=tenant,
    )


def _whose(scope: Scope) -> tuple[str | None, str | None]:
    """Return the columns that name the user and the tenant whose a row is."""
    if scope.member_rows is not None:
        return scope.member_rows.user, scope.member_rows.tenant
    owner = scope.also_owner.column if scope.also_owner else scope.owner_column
    return owner, scope.tenant_rows.column if scope.tenant_rows else None


def _serial_columns(table: Table) -> tuple[str, ...]:
    """Return the column that SQLAlchemy makes SERIAL; IDENTITY needs no grant on its sequence."""
    column = table.autoincrement_column
    if column is None or column.identity or column.server_default or column.default:
        return ()
    return (column.name,)
