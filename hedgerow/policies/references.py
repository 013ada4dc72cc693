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

PREFIX = "Hedgerow_"
FUNCTION_PREFIX = "key_of_"

_SCHEMA = "\0"
"""Stands in a statement for the schema of an unqualified table, which is known as it runs."""


@dataclass(frozen=True)
class ReferenceCheck:
    """A foreign key whose writer must see the row of `parent` that it names.

    `function` is the trigger's function in schema `rls`; `deferrable` is None, "IMMEDIATE" or
    "DEFERRED", as the foreign key is.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    constraint: str
    function: str
    parent_schema: str | None = None
    deferrable: str | None = None

    @property
    def name(self) -> str:
        """The trigger's name: of one table, no two have the same columns."""
        return trigger_name(self.columns)

    def create_statements(self, table: str, schema: str | None) -> tuple[str, ...]:
        """Return the SQL that makes the trigger of `table`, and its function in schema `rls`."""
        function = f"rls.{sql.name(self.function)}"
        is_set = " AND ".join(f"NEW.{sql.name(column)} IS NOT NULL" for column in self.columns)
        argument = sql.text_literal(json.dumps(asdict(self), ensure_ascii=False))
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
        schema = sql.name(self.parent_schema) if self.parent_schema else _SCHEMA
        joined = " AND ".join(
            f"parent.{sql.name(theirs)} = NEW.{sql.name(ours)}"
            for ours, theirs in zip(self.columns, self.parent_columns, strict=True)
        )
        unchanged = " AND ".join(
            f"NEW.{sql.name(column)} IS NOT DISTINCT FROM OLD.{sql.name(column)}"
            for column in self.columns
        )
        statement = sql.fill(
            sql.read("hedgerow.policies", "reference.sql"),
            function=function,
            parent=f"{schema}.{sql.name(self.parent)}",
            unchanged=unchanged,
            joined=joined,
            detail=sql.text_literal(f'Key is not present in table "{self.parent}".'),
            constraint=sql.text_literal(self.constraint),
        )
        if self.parent_schema:
            return statement
        template = statement.replace("%", "%%").replace(_SCHEMA, "%1$I")
        block = f"BEGIN EXECUTE format({sql.text_literal(template)}, current_schema()); END"
        return f"DO {sql.text_literal(block)}"


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

    Those that the policies decide already are left out: the parents', the owner's own, and a
    composite one that carries the owner of both; but not where another policy lets rows in. So is
    the account with which a row is shared, which its owner cannot see.
    """
    shared_with = {(shares.user,) for shares in shares_held_in(table)}
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
        if lets_more_in:
            yield key
            continue
        if key in (key_to_parent(table, column) for column in scope.parents):
            continue
        carries_owner = any(
            (ours, theirs) == (scope.owner_column, parent.owner_column)
            for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
        )
        if carries_owner and scope.shares is None:
            continue
        yield key


def reference_checks(table: Table, scope: Scope) -> Mapping[str, ReferenceCheck]:
    """Return the checks of a scoped table's foreign keys, by name.

    Raises ConfigurationError where the same columns refer to two tables.
    """
    checks: dict[str, ReferenceCheck] = {}
    for check in (_check(table, key) for key in checked_keys(table, scope)):
        if check.name in checks:
            raise ConfigurationError(
                f"Columns {', '.join(check.columns)} of table {table.fullname!r} refer to two"
                " scoped tables, and only one key can be checked: name them in"
                " Scope(unchecked=…), and check them by a policy."
            )
        checks[check.name] = check
    return checks


def _check(table: Table, key: Key) -> ReferenceCheck:
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
    )


def read_reference_check(arguments: bytes) -> ReferenceCheck:
    """Return what a trigger was made from, out of its arguments as the catalog holds them."""
    values: dict[str, Any] = json.loads(bytes(arguments).rstrip(b"\0").decode())
    lists = {name: tuple(values[name]) for name in ("columns", "parent_columns")}
    return ReferenceCheck(**{**values, **lists})
