"""What the rules about tables share: the undeclared tables, and the finding about one."""

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from hedgerow.findings import Finding, location_of
from hedgerow.policies.scope import OWNER_COLUMN, mapped_class, scope_of, scoped_tables


def undecided_tables(metadata: MetaData) -> Iterator[Table]:
    """Yield the tables that are neither scoped nor exempt, ordered by name."""
    for table in sorted(metadata.tables.values(), key=lambda table: table.fullname):
        if scope_of(table) is None:
            yield table


def owner_columns(metadata: MetaData) -> set[str]:
    """Return the names under which tables of this project hold an owner."""
    declared = {scope.owner_column for _, scope in scoped_tables(metadata)}
    return {OWNER_COLUMN} | {name for name in declared if name is not None}


def finding(table: Table, why: str) -> Finding:
    """Return the finding that `table` has no row security; `why` says what speaks for one."""
    owner = mapped_class(table)
    subject = f"{owner.__name__} (table {table.fullname!r})" if owner else repr(table.fullname)
    map_it = "" if owner else "map a class to it, then "
    return Finding(
        subject=table.fullname,
        sentence=f"{subject} {why}, but has no row security: requests of all users reach"
        " every row.",
        fix=f"{map_it}inherit UserScopedBase (elsewhere: set __rls__ = hedgerow.Scope(...)), or"
        ' say why not: __rls__ = hedgerow.exempt("reason")',
        location=location_of(owner) if owner else None,
    )
