"""L105: a foreign key between users' or tenants' tables does not carry whose it is (P31, P51)."""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Rule
from hedgerow.policies.keys import Key
from hedgerow.policies.references import are_read_by_all_members, checked_keys
from hedgerow.policies.registry import mapped_class, scope_of, scoped_tables
from hedgerow.policies.scope import Scope

_CONSEQUENCES = {
    "owner": "the two may come to have different owners",
    "tenant": "a member of two tenants may let a row of one refer to a row of the other",
}


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find keys that a composite one with the owner, or the tenant, would check by itself.

    Left out are parents that others than their owner see, or not all members of the tenant: there a
    composite key decides nothing.
    """
    for table, scope in scoped_tables(declarations.metadata):
        if scope.is_user or scope.shares:
            continue
        for key in checked_keys(table, scope):
            parent = scope_of(key.parent)
            if not isinstance(parent, Scope):
                continue
            ours, theirs = scope.tenant_rows, parent.tenant_rows
            if scope.owner_column is not None and _is_seen_by_its_owner_alone(parent):
                yield _finding(table, key, "owner", scope.owner_column, str(parent.owner_column))
            elif (
                ours is not None
                and theirs is not None
                and ours.column not in key.columns
                and are_read_by_all_members(parent)
            ):
                yield _finding(table, key, "tenant", str(ours.column), str(theirs.column))


def _is_seen_by_its_owner_alone(scope: Scope) -> bool:
    is_owned = scope.owner_column is not None and not scope.is_user
    return is_owned and not (scope.read or scope.shares or scope.policies or scope.unmanaged)


def _finding(table: Table, key: Key, whose: str, ours: str, theirs: str) -> Finding:
    mapped = mapped_class(table)
    parent = key.parent
    here = ", ".join(f'"{column}"' for column in (ours, *key.columns))
    there = (theirs, *key.parent_columns)
    listed = ", ".join(f'"{column}"' for column in there)
    qualified = ", ".join(f'"{parent.fullname}.{column}"' for column in there)
    return Finding(
        subject=f"{table.fullname} ({', '.join(key.columns)})",
        sentence=f"The foreign key {', '.join(key.columns)} of table {table.fullname!r} does not"
        f" carry the {whose}: each write looks the row of {parent.fullname!r} up once more, and"
        f" {_CONSEQUENCES[whose]}.",
        fix=f"let it carry the {whose}: UniqueConstraint({listed}) in {parent.fullname!r}, and"
        f" ForeignKeyConstraint([{here}], [{qualified}]) here; or declare"
        f' __rls__ = hedgerow.Scope.through("{key.columns[-1]}") instead of its {whose}',
        location=location_of(mapped) if mapped else None,
    )


RULE = Rule("L105", Level.WARNING, "Key without the owner or the tenant", find)
