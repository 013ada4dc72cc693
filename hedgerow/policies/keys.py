"""The foreign keys of declared tables: to which parent, and which of them are checked."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ForeignKeyConstraint, Table
from sqlalchemy.exc import NoReferencedTableError

from hedgerow.errors import ConfigurationError
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope


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
