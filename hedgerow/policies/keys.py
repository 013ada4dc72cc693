"""The foreign keys of declared tables: to which parent, and which of them are checked."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ForeignKeyConstraint, Table
from sqlalchemy.exc import NoReferencedTableError

from hedgerow.errors import ConfigurationError
from hedgerow.policies.scope import Scope, scope_of


@dataclass(frozen=True)
class Key:
    """A foreign key: `columns` of one table refer to `parent_columns` of another, in order."""

    columns: tuple[str, ...]
    parent: Table
    parent_columns: tuple[str, ...]
    constraint: ForeignKeyConstraint


def keys_of(table: Table) -> tuple[Key, ...]:
    """Return the foreign keys of `table`, ordered; those to tables that nobody defines left out."""
    return tuple(sorted(_keys(table), key=lambda key: key.columns))


def _keys(table: Table) -> Iterator[Key]:
    for constraint in table.foreign_key_constraints:
        try:
            parent = constraint.referred_table
        except NoReferencedTableError:
            continue
        yield Key(
            tuple(column.name for column in constraint.columns),
            parent,
            tuple(element.column.name for element in constraint.elements),
            constraint,
        )


def key_to_parent(table: Table, column: str) -> Key:
    """Return the foreign key of which `column` is a part, the one of this column alone first.

    Raises ConfigurationError where there is none, or its table is not scoped.
    """
    found = sorted(
        (key for key in keys_of(table) if column in key.columns), key=lambda key: len(key.columns)
    )
    if not found:
        raise ConfigurationError(
            f"Table {table.fullname!r} is declared through {column!r}, whose foreign key names a"
            " table that is not defined: import the module of that table's model."
        )
    key = found[0]
    if not isinstance(scope_of(key.parent), Scope):
        raise ConfigurationError(
            f"Table {table.fullname!r} is declared through {column!r}, but its parent"
            f" {key.parent.fullname!r} is not scoped, so it decides nothing: declare the parent"
            " with a Scope, or leave the column out."
        )
    return key


def checked_keys(table: Table, scope: Scope) -> Iterator[Key]:
    """Yield the keys of a scoped table whose writer must see the row that they refer to (P51).

    Those that the policies decide already are left out: the parents', the owner's own, and a
    composite one that carries the owner of both; but not where another policy lets rows in.
    """
    lets_more_in = scope.unmanaged or any(
        policy.permissive and policy.command not in ("SELECT", "DELETE")
        for policy in scope.policies
    )
    for key in keys_of(table):
        parent = scope_of(key.parent)
        if not isinstance(parent, Scope):
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
