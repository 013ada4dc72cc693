"""The triggers that check a foreign key against what its writer may see (P31, P51).

PostgreSQL checks foreign keys past all policies, so a row could be hung on another user's parent,
and the answer would tell whether that exists. The trigger fires before PostgreSQL's own (AFTER
triggers fire in the order of their names, and those are called RI_…), and answers for a parent that
is hidden and for one that does not exist with the same error: the one of the foreign key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.errors import ConfigurationError
from hedgerow.policies.keys import Key, key_to_parent, keys_of
from hedgerow.policies.policy import function_name, policy_name
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import shares_held_in
from hedgerow.policies.tenant_rows import TenantRows

PREFIX = "Hedgerow_"
FUNCTION_PREFIX = "key_of_"


@dataclass(frozen=True)
class ReferenceCheck:
    """A foreign key whose writer must see the row of `parent` that it names.

    `function` is the trigger's function in schema `rls`; `deferrable` is None, "IMMEDIATE" or
    "DEFERRED", as the foreign key is. `tenant` are the columns of both tables that hold the tenant,
    which has to be the same: a member of two tenants sees the rows of both.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    constraint: str
    function: str
    parent_schema: str | None = None
    deferrable: str | None = None
    tenant: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The trigger's name: of one table, no two have the same columns."""
        return trigger_name(self.columns)

    def create_statements(self, table: str, schema: str | None) -> tuple[str, ...]:
        """Return the SQL that makes the trigger of `table`, and its function in schema `rls`."""
        function = f"rls.{sql.name(self.function)}"
        is_set = " AND ".join(f"NEW.{sql.name(column)} IS NOT NULL" for column in self.columns)
        made_from = asdict(self)
        if self.tenant is None:
            del made_from["tenant"]  # so that triggers of older versions are the same
        argument = sql.text_literal(json.dumps(made_from, ensure_ascii=False))
        kind = "CONSTRAINT TRIGGER" if self.deferrable else "TRIGGER"
        when = f" DEFERRABLE INITIALLY {self.deferrable}" if self.deferrable else ""
        return (
            self._create_function(function),
            f"CREATE {kind} {sql.name(self.name)} AFTER INSERT OR UPDATE"
            f" ON {sql.table_name(table, schema)}{when} FOR EACH ROW WHEN ({is_set})"
            f" EXECUTE FUNCTION {function}({argument})",
        )

    def _create_function(self, function: str) -> str:
        """Return the SQL of the function, which runs with the writer's rights.

        It names the parent with its schema: a temporary table of the writer's cannot take its
        place. It looks at what is there as the statement ends, like the foreign key.
        """
        pairs = list(zip(self.columns, self.parent_columns, strict=True))
        if self.tenant is not None:
            pairs.append(self.tenant)
        joined = " AND ".join(
            f"parent.{sql.name(theirs)} = NEW.{sql.name(ours)}" for ours, theirs in pairs
        )
        unchanged = " AND ".join(
            f"NEW.{sql.name(ours)} IS NOT DISTINCT FROM OLD.{sql.name(ours)}" for ours, _ in pairs
        )
        statement = sql.fill(
            sql.read("hedgerow.policies", "reference.sql"),
            function=function,
            parent=sql.qualified_name(self.parent, self.parent_schema),
            unchanged=unchanged,
            joined=joined,
            detail=sql.text_literal(f'Key is not present in table "{self.parent}".'),
            constraint=sql.text_literal(self.constraint),
        )
        return sql.in_current_schema(statement)


def trigger_name(columns: Sequence[str]) -> str:
    """Return the name of the trigger that checks the key of these columns."""
    return policy_name(f"{PREFIX}{'_'.join(columns)}", "key")


def drop_statements(
    table: str, schema: str | None, columns: Sequence[str], function: str
) -> tuple[str, ...]:
    """Return the SQL that removes the trigger of a key, and its function."""
    return (
        f"DROP TRIGGER {sql.name(trigger_name(columns))} ON {sql.table_name(table, schema)}",
        f"DROP FUNCTION rls.{sql.name(function)}()",
    )


def checked_keys(table: Table, scope: Scope) -> Iterator[Key]:
    """Yield the keys of a scoped table whose writer must see the row that they refer to (P51).

    Those that the policies decide already are left out: the parents', the owner's own, the
    tenant's, and a composite one that carries the owner or the tenant of both; but not where
    another policy lets rows in. So is the account with which a row is shared, which its owner
    cannot see.
    """
    shared_with = {(shares.user,) for shares in shares_held_in(table)}
    members = scope.member_rows
    lets_more_in = scope.unmanaged or any(
        policy.permissive and policy.command not in ("SELECT", "DELETE")
        for policy in scope.policies
    )
    for key in keys_of(table):
        parent = scope_of(key.parent)
        if not isinstance(parent, Scope) or (parent.is_user and key.columns in shared_with):
            continue
        if any(column in scope.unchecked for column in key.columns):
            continue
        # An owner's or admin's policy asks for the tenant, and the user may be anybody who agrees.
        if members is not None and key.columns in ((members.tenant,), (members.user,)):
            continue
        if lets_more_in:
            yield key
            continue
        if key in (key_to_parent(table, column) for column in scope.parents):
            continue
        columns = list(zip(key.columns, key.parent_columns, strict=True))
        owner = scope.also_owner.column if scope.also_owner else scope.owner_column
        if (owner, parent.owner_column) in columns and scope.shares is None:
            continue
        if _of_the_same_tenant(scope, parent, columns):
            continue
        yield key


def _of_the_same_tenant(scope: Scope, parent: Scope, columns: list[tuple[str, str]]) -> bool:
    """Return whether a key carries the tenant of both, whose members all read the parent."""
    ours, theirs = scope.tenant_rows, parent.tenant_rows
    if ours is None or theirs is None or (ours.column, theirs.column) not in columns:
        return False
    return _are_read_by_all_members(parent)


def _are_read_by_all_members(scope: Scope) -> bool:
    """Return whether each member of a tenant reads all of its rows."""
    rows = scope.tenant_rows
    return (
        rows is not None
        and rows.read is None
        and not scope.claims
        and (scope.also_owner is None or not scope.also_owner.to_read)
    )


def reference_checks(table: Table, scope: Scope) -> Mapping[str, ReferenceCheck]:
    """Return the checks of a scoped table's foreign keys, by name.

    Raises ConfigurationError where the same columns refer to two tables.
    """
    checks: dict[str, ReferenceCheck] = {}
    for check in (_check(table, scope, key) for key in checked_keys(table, scope)):
        if check.name in checks:
            raise ConfigurationError(
                f"Columns {', '.join(check.columns)} of table {table.fullname!r} refer to two"
                " scoped tables, and only one key can be checked: name them in"
                " Scope(unchecked=…), and check them by a policy."
            )
        checks[check.name] = check
    return checks


def _tenants_to_compare(scope: Scope, key: Key) -> tuple[str, str] | None:
    """Return the columns of the tenant of both tables, where the key does not carry them.

    None where one has no tenant, or the other's rows are the tenants.
    """
    parent = scope_of(key.parent)
    if scope.tenant_rows is None or not isinstance(parent, Scope):
        return None
    held = parent.tenant_rows or parent.member_rows
    theirs = held.column if isinstance(held, TenantRows) else held.tenant if held else None
    ours = scope.tenant_rows.column
    is_tenant = key.parent.primary_key.columns.keys() == [theirs]
    if ours is None or theirs is None or is_tenant or ours in key.columns:
        return None
    return ours, theirs


def _check(table: Table, scope: Scope, key: Key) -> ReferenceCheck:
    constraint = key.constraint
    deferrable = None
    if constraint.deferrable:
        deferrable = constraint.initially or "IMMEDIATE"
    # What PostgreSQL calls a constraint that the model leaves unnamed.
    unnamed = policy_name(f"{table.name}_{'_'.join(key.columns)}", "fkey")
    return ReferenceCheck(
        columns=key.columns,
        parent=key.parent.name,
        parent_columns=key.parent_columns,
        constraint=str(constraint.name or unnamed),
        function=function_name(
            FUNCTION_PREFIX, table.schema, table.name, *key.columns, suffix="check"
        ),
        parent_schema=key.parent.schema,
        deferrable=deferrable.upper() if deferrable else None,
        tenant=_tenants_to_compare(scope, key),
    )


def read_reference_check(arguments: bytes) -> ReferenceCheck:
    """Return what a trigger was made from, out of its arguments as the catalog holds them."""
    values: dict[str, Any] = json.loads(bytes(arguments).rstrip(b"\0").decode())
    lists: dict[str, tuple[str, ...]] = {
        name: tuple(values[name])
        for name in ("columns", "parent_columns", "tenant")
        if name in values
    }
    return ReferenceCheck(**{**values, **lists})
