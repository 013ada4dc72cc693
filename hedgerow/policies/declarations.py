"""Whether every table says whose rows it holds, and nothing that cannot be meant."""

from collections.abc import Collection, Iterable

from sqlalchemy import MetaData, Table

from hedgerow.errors import ConfigurationError
from hedgerow.policies.keys import key_to_parent, keys_of
from hedgerow.policies.likely import likely_declarations
from hedgerow.policies.members_table import check_roles
from hedgerow.policies.references import checked_keys
from hedgerow.policies.registry import scope_of, scoped_tables
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function
from hedgerow.policies.tenancy import require_tenancy, tenancy_of
from hedgerow.policies.tenant_rows import MemberRows
from hedgerow.policies.wanted import user_privileges


def check_declarations(metadata: MetaData, tables: Iterable[Table] | None = None) -> None:
    """Raise ConfigurationError for tables that say nothing, or that name what does not exist.

    `tables` are those to ask for a declaration: all of `metadata`'s, where they are not given.
    """
    asked = list(tables) if tables is not None else list(metadata.tables.values())
    if missing := [describe(table) for table in undeclared_tables(asked)]:
        raise ConfigurationError(" ".join(missing))
    _check_tenants(metadata)
    for table, scope in scoped_tables(metadata):
        _check_parents(table, ())
        _check_shares(table, scope)
        _check_readable(table, scope)
        _check_public_parents(table, scope)
        _check_keys_of_others(table, scope)


def undeclared_tables(tables: Iterable[Table]) -> list[Table]:
    """Return those that do not say whose rows they hold, ordered by name."""
    return sorted((t for t in tables if scope_of(t) is None), key=lambda table: table.fullname)


def describe(table: Table) -> str:
    """Return one sentence on a table that says nothing: what follows, and what it could say."""
    return f"{consequence(table)}: {likely_fix(table)}."


def consequence(table: Table) -> str:
    """Return what follows for a table that says nothing, as a clause."""
    return (
        f"Table {table.fullname!r} does not say whose rows it holds, so requests get no privilege"
        " on it"
    )


def likely_fix(table: Table) -> str:
    """Return what a table that says nothing could say, as a clause."""
    return f"give its class one of {', or '.join(likely_declarations(table))}"


def _check_tenants(metadata: MetaData) -> None:
    """Raise ConfigurationError for declarations about tenants that cannot be meant."""
    tenancy_of(metadata)
    for table, scope in scoped_tables(metadata):
        rows = scope.tenant_rows
        if rows is None:
            if scope.read == "co_members":
                require_tenancy(table, 'read="co_members"')
            continue
        place = f"Table {table.fullname!r} is declared Scope.tenant({rows.column!r})"
        tenancy = require_tenancy(table, f"Scope.tenant({rows.column!r})")
        holder, members = _members_table(metadata)
        check_roles(holder, members, rows.named, place)
        if tenancy.is_tenants_table(table):
            if rows.column != tenancy.key:
                raise ConfigurationError(
                    f"{place}, and its rows are the tenants themselves, by {tenancy.key!r}: leave"
                    " the column out."
                )
            continue
        keys = [key for key in keys_of(table) if key.columns == (rows.column,)]
        if any(not tenancy.is_tenants_table(key.parent) for key in keys):
            raise ConfigurationError(
                f"{place}, which refers to {keys[0].parent.fullname!r}, and tenants are the rows of"
                f" {tenancy.tenants!r}: name the column that refers to these."
            )


def _members_table(metadata: MetaData) -> tuple[Table, MemberRows]:
    return next(
        (table, scope.member_rows) for table, scope in scoped_tables(metadata) if scope.member_rows
    )


def _check_parents(table: Table, children: tuple[Table, ...]) -> None:
    """Raise ConfigurationError for a table that is declared through itself, however far (P53)."""
    if table in children:
        path = " → ".join(child.fullname for child in (*children[children.index(table) :], table))
        raise ConfigurationError(
            f"Tables are declared through each other, so nobody owns their rows: {path}."
            ' Give one of them an owner: Scope("owner_id").'
        )
    scope = scope_of(table)
    for column in scope.parents if isinstance(scope, Scope) else ():
        _check_parents(key_to_parent(table, column).parent, (*children, table))


def _check_shares(table: Table, scope: Scope) -> None:
    """Raise ConfigurationError for shares that others than the owner of the shared row may make."""
    function = share_function(table, scope)
    if function is None:
        return
    holder = next(other for other in table.metadata.tables.values() if function.is_table(other))
    declared = scope_of(holder)
    if isinstance(declared, Scope):
        granted: Collection[str] = user_privileges(holder, declared)
        pairs = {(function.key, function.shared_key), (declared.owner_column, scope.owner_column)}
        owner_decides = (
            function.key in declared.parents and key_to_parent(holder, function.key).parent is table
        ) or any(
            pairs <= set(zip(key.columns, key.parent_columns, strict=True))
            for key in keys_of(holder)
            if key.parent is table
        )
    else:
        granted = declared.commands if declared is not None else ()
        owner_decides = False
    if owner_decides or not any(one.startswith(("INSERT", "UPDATE")) for one in granted):
        return
    raise ConfigurationError(
        f"Table {holder.fullname!r} shares rows of {table.fullname!r}, and its declaration lets"
        " users share what is not theirs, with themselves: declare it with"
        f' Scope.through("{function.key}"), or let users only read it.'
    )


def _check_readable(table: Table, scope: Scope) -> None:
    """Raise ConfigurationError for a parent that no user may read: each statement would fail."""
    parents = {column: key_to_parent(table, column).parent for column in scope.parents}
    parents |= {", ".join(key.columns): key.parent for key in checked_keys(table, scope)}
    for columns, parent in parents.items():
        declared = scope_of(parent)
        if not isinstance(declared, Scope) or "SELECT" in user_privileges(parent, declared):
            continue
        way_out = "" if columns in scope.parents else ", or name the key in Scope(unchecked=…)"
        raise ConfigurationError(
            f"Table {table.fullname!r} refers by {columns} to {parent.fullname!r}, which no"
            f" user may read: let its declaration show rows to users{way_out}."
        )


def _check_public_parents(table: Table, scope: Scope) -> None:
    """Raise ConfigurationError for public children of parents that nobody may read."""
    for column in scope.parents if scope.public else ():
        parent = key_to_parent(table, column).parent
        declared = scope_of(parent)
        if declared is None or not declared.public:
            raise ConfigurationError(
                f"Table {table.fullname!r} is declared public through {column}, and its parent"
                f" {parent.fullname!r} is not: declare public there too, or not here."
            )


def _check_keys_of_others(table: Table, scope: Scope) -> None:
    """Raise ConfigurationError for a key to what a service, or who signs up, may not read.

    The check of the key is made as whoever writes, so each of these writes would fail.
    """
    for key in checked_keys(table, scope):
        columns = ", ".join(key.columns)
        declared = scope_of(key.parent)
        readers = declared.services if declared is not None else {}
        for name, commands in scope.services.items():
            if {"INSERT", "UPDATE"} & commands and "SELECT" not in readers.get(name, ()):
                raise ConfigurationError(
                    f"Table {table.fullname!r} lets service {name!r} write {columns}, which refers"
                    f" to {key.parent.fullname!r}: give the service SELECT there, or name the key"
                    " in Scope(unchecked=…)."
                )
        required = not any(table.columns[column].nullable for column in key.columns)
        if scope.sign_in_column is not None and "INSERT" in scope.commands and required:
            raise ConfigurationError(
                f"Table {table.fullname!r} refers by {columns} to {key.parent.fullname!r}, which"
                " nobody sees who signs up: name the key in Scope(unchecked=…), or leave INSERT"
                " out of the commands."
            )
