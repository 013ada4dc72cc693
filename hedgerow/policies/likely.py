"""What a table that does not say whose rows it holds could declare, judged by its keys."""

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from hedgerow.policies.keys import Key, keys_of
from hedgerow.policies.registry import scope_of, scoped_tables
from hedgerow.policies.scope import OWNER_COLUMN, Scope
from hedgerow.policies.tenancy import Tenancy, tenancy_of

_MOST = 3
"""How many declarations a message shows: those that are likely, and the exemption."""


def likely_declarations(table: Table) -> list[str]:
    """Return the two or three declarations that are likely for `table`, as they are written."""
    found = list(dict.fromkeys(_likely(table)))[: _MOST - 1]
    return [
        f"__rls__ = hedgerow.{declaration}"
        for declaration in (*found, 'exempt("why every user may read it")')
    ]


def _likely(table: Table) -> Iterator[str]:
    keys = [key for key in keys_of(table) if key.parent is not table]
    users = _user_tables(table.metadata)
    to_users = [key.columns[0] for key in keys if key.parent in users and len(key.columns) == 1]
    primary = set(table.primary_key.columns.keys())
    tenancy = tenancy_of(table.metadata)
    to_scoped = {
        key.columns[-1]: scope
        for key in keys
        if isinstance(scope := scope_of(key.parent), Scope)
        and key.parent not in users
        and not _holds_tenants(key.parent, tenancy)
    }
    owners = sorted(_owner_columns(table.metadata) & set(table.columns.keys()) - primary)
    yield from _likely_of_tenants(table, keys, [*owners, *to_users])
    for column in owners:
        yield f'Scope("{column}")'
    if len(to_scoped) == 2 and not to_users:
        yield 'Scope.through("{}", "{}")'.format(*to_scoped)
    # Through a parent that everybody reads, everybody would read these rows: it comes last.
    for column in sorted(to_scoped, key=lambda column: to_scoped[column].read is not None):
        yield f'Scope.through("{column}")'
    for column in to_users:
        if primary == {column}:
            yield "Scope.itself()"
        yield f'Scope("{column}")'
    # A child of a table that is still to be declared, too.
    for key in keys:
        if scope_of(key.parent) is None and key.parent not in users:
            yield f'Scope.through("{key.columns[-1]}")'
    if table in users:
        yield "Scope.itself()"


def _likely_of_tenants(table: Table, keys: list[Key], users: list[str]) -> Iterator[str]:
    """Yield what a table could declare about tenants; `users` are columns that name a user."""
    tenancy = tenancy_of(table.metadata)
    if tenancy is not None and tenancy.is_tenants_table(table):
        yield "Scope.tenant()"
    for column in (key.columns[0] for key in keys if _holds_tenants(key.parent, tenancy)):
        if tenancy is None:
            user = f', user="{users[0]}"' if users and users[0] != "user_id" else ""
            role = "" if "role" in table.columns else ", role=None"
            yield f'Scope.members(tenant="{column}"{user}{role})'
            continue
        yield f'Scope.tenant("{column}")'
        for user in users[:1]:
            yield f'Scope.tenant("{column}").and_owner("{user}")'


def _holds_tenants(table: Table, tenancy: Tenancy | None) -> bool:
    """Return whether rows of a table are tenants, as far as that is declared yet."""
    if tenancy is not None:
        return tenancy.is_tenants_table(table)
    scope = scope_of(table)
    rows = scope.tenant_rows if isinstance(scope, Scope) else None
    return rows is not None and (rows.column,) == tuple(table.primary_key.columns.keys())


def _owner_columns(metadata: MetaData) -> set[str]:
    """Return the names of columns that hold an owner, in some table or by custom."""
    used = {scope.owner_column for _, scope in scoped_tables(metadata) if scope.owner_column}
    return used | {OWNER_COLUMN}


def _user_tables(metadata: MetaData) -> set[Table]:
    """Return the tables whose rows are users: declared so, or what owners' columns refer to."""
    users = set()
    for table, scope in scoped_tables(metadata):
        if scope.is_user:
            users.add(table)
            continue
        naming = {
            scope.owner_column,
            scope.also_owner.column if scope.also_owner else None,
            scope.member_rows.user if scope.member_rows else None,
        }
        users |= {
            key.parent
            for key in keys_of(table)
            if len(key.columns) == 1 and key.columns[0] in naming
        }
    return users
