"""L105: a foreign key between two users' tables does not carry the owner (P31, P51)."""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Rule
from hedgerow.policies.keys import Key
from hedgerow.policies.references import checked_keys
from hedgerow.policies.registry import mapped_class, scope_of, scoped_tables
from hedgerow.policies.scope import Scope


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find keys that a composite one with the owner would check without a look at the parent.

    Left out are parents that others than their owner see: there a row of one user may refer to a
    row of another.
    """
    for table, scope in scoped_tables(declarations.metadata):
        if scope.owner_column is None or scope.is_user or scope.shares:
            continue
        for key in checked_keys(table, scope):
            parent = scope_of(key.parent)
            if isinstance(parent, Scope) and _is_seen_by_its_owner_alone(parent):
                yield _finding(table, scope.owner_column, key, str(parent.owner_column))


def _is_seen_by_its_owner_alone(scope: Scope) -> bool:
    is_owned = scope.owner_column is not None and not scope.is_user
    return is_owned and not (scope.read or scope.shares or scope.policies or scope.unmanaged)


def _finding(table: Table, owner: str, key: Key, parents_owner: str) -> Finding:
    mapped = mapped_class(table)
    parent = key.parent
    ours = ", ".join(f'"{column}"' for column in (owner, *key.columns))
    theirs = (parents_owner, *key.parent_columns)
    listed = ", ".join(f'"{column}"' for column in theirs)
    qualified = ", ".join(f'"{parent.fullname}.{column}"' for column in theirs)
    return Finding(
        subject=f"{table.fullname} ({', '.join(key.columns)})",
        sentence=f"The foreign key {', '.join(key.columns)} of table {table.fullname!r} does not"
        f" carry the owner: each write looks the row of {parent.fullname!r} up once more, and the"
        " two may come to have different owners.",
        fix=f"let it carry the owner: UniqueConstraint({listed}) in {parent.fullname!r}, and"
        f" ForeignKeyConstraint([{ours}], [{qualified}]) here; or declare"
        f' __rls__ = hedgerow.Scope.through("{key.columns[-1]}") instead of an owner',
        location=location_of(mapped) if mapped else None,
    )


RULE = Rule("L105", Level.WARNING, "Key without the owner", find)
