"""L104: a UNIQUE over all users tells whether somebody else has a value (P32)."""

from collections.abc import Iterator

from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint, Uuid

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Rule
from hedgerow.policies.registry import mapped_class, scoped_tables
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy import require_tenancy


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find unique columns of scoped tables that carry nothing by which the rows are kept apart.

    Left out are values that nobody guesses (UUIDs, numbers that the database draws), rows that
    everybody reads, and the accounts and the tenants themselves. A key is found: its uniqueness is
    checked before whether its writer sees what it refers to.
    """
    for table, scope in scoped_tables(declarations.metadata):
        apart = _columns_that_keep_apart(scope)
        if scope.read == "everyone" or scope.is_user or not apart:
            continue
        if scope.tenant_rows and require_tenancy(table, "Scope.tenant()").is_tenants_table(table):
            continue
        for columns in sorted(_unique(table)):
            # Which tenant, say, its members know.
            others = [table.columns[c] for c in columns if c not in scope.deciding_columns]
            if set(apart) & set(columns) or any(map(_is_no_secret, others)):
                continue
            yield _finding(table, scope, apart[0], columns)


def _columns_that_keep_apart(scope: Scope) -> tuple[str, ...]:
    """Return the columns of which one makes a value unique only among rows that its writer reads.

    Members of a tenant do not read each other's rows where these have an owner, too.
    """
    if scope.also_owner is not None and scope.also_owner.to_read:
        return (scope.also_owner.column,)
    rows, members = scope.tenant_rows, scope.member_rows
    columns = (
        scope.owner_column,
        *scope.parents,
        rows.column if rows else None,
        members.tenant if members else None,
    )
    found = [column for column in columns if column is not None] or list(scope.claims)
    return (*found, scope.also_owner.column) if scope.also_owner else tuple(found)


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


def _finding(table: Table, scope: Scope, first: str, columns: tuple[str, ...]) -> Finding:
    mapped = mapped_class(table)
    listed = ", ".join(f'"{column}"' for column in (first, *columns))
    rows, members = scope.tenant_rows, scope.member_rows
    is_tenant = first in (rows.column if rows else None, members.tenant if members else None)
    other, each = ("tenant", "tenant") if is_tenant else ("user", "owner")
    return Finding(
        subject=f"{table.fullname} ({', '.join(columns)})",
        sentence=f"{', '.join(columns)} of table {table.fullname!r} is unique over all"
        f" {other}s: whoever inserts learns whether another {other} has that value.",
        fix=f"make it unique for each {each}, UniqueConstraint({listed})",
        location=location_of(mapped) if mapped else None,
    )


RULE = Rule("L104", Level.WARNING, "Unique over all users", find)
