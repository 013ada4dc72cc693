"""L104: a UNIQUE over all users tells whether somebody else has a value (P32)."""

from collections.abc import Iterator

from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint, Uuid

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Rule
from hedgerow.policies.registry import mapped_class, scoped_tables
from hedgerow.policies.scope import Scope


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find unique columns of scoped tables that neither carry the owner nor a parent.

    Left out are values that nobody guesses (UUIDs, numbers that the database draws), rows that
    everybody reads, and the accounts themselves. A key is found: its uniqueness is checked before
    whether its writer sees what it refers to.
    """
    for table, scope in scoped_tables(declarations.metadata):
        owners = {scope.owner_column, *scope.parents}
        if scope.read or scope.is_user or owners == {None}:
            continue
        for columns in sorted(_unique(table)):
            if owners & set(columns) or any(_is_no_secret(table.columns[c]) for c in columns):
                continue
            yield _finding(table, scope, columns)


def _unique(table: Table) -> set[tuple[str, ...]]:
    found = {
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint)
    }
    found |= {
        tuple(column.name for column in index.columns) for index in table.indexes if index.unique
    }
    return found - {()}


def _is_no_secret(column: Column[object]) -> bool:
    return (
        isinstance(column.type, Uuid)
        or column is column.table.autoincrement_column
        or column.identity is not None
    )


def _finding(table: Table, scope: Scope, columns: tuple[str, ...]) -> Finding:
    first = scope.owner_column or scope.parents[0]
    mapped = mapped_class(table)
    listed = ", ".join(f'"{column}"' for column in (first, *columns))
    return Finding(
        subject=f"{table.fullname} ({', '.join(columns)})",
        sentence=f"{', '.join(columns)} of table {table.fullname!r} is unique over all users:"
        " whoever inserts learns whether another user has that value.",
        fix=f"make it unique for each owner, UniqueConstraint({listed})",
        location=location_of(mapped) if mapped else None,
    )


RULE = Rule("L104", Level.WARNING, "Unique over all users", find)
