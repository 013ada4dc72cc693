"""Which table declares what: read from the classes as they are mapped."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary, ref

from sqlalchemy import Column, MetaData, Table, event
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.orm import ColumnProperty, Mapper, deferred

from hedgerow.errors import ConfigurationError
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.scope import Scope

_POSTGRESQL = dialect()  # type: ignore[no-untyped-call]

# Not in Table.info, which autogenerate writes into revisions.
_declared: "WeakKeyDictionary[Table, Scope | Exempt]" = WeakKeyDictionary()
_mapped: "WeakKeyDictionary[Table, ref[type[Any]]]" = WeakKeyDictionary()


def declare(table: Table, scope: Scope | Exempt) -> Table:
    """Declare whose rows a Table without a class holds, such as SQLAlchemy's `secondary`.

    Returns the table. Raises ConfigurationError where a column does not exist.
    """
    _note(table, scope, f"declare({table.name!r}, …)")
    return table


@event.listens_for(Mapper, "after_mapper_constructed")
def _register(mapper: Mapper[Any], mapped_class: type[Any]) -> None:
    """Note the scope on the table as its class is mapped, so that the tables are the registry.

    Raises ConfigurationError where a declared column does not exist, or nothing is declared.
    """
    table = mapper.local_table
    if not isinstance(table, Table):
        return
    first = table not in _mapped
    _mapped.setdefault(table, ref(mapped_class))
    scope = getattr(mapped_class, "__rls__", None)
    if scope is None:
        return
    if not isinstance(scope, Scope | Exempt):
        raise ConfigurationError(
            f"{mapped_class.__name__}.__rls__ is {scope!r}, which declares nothing: give it a"
            ' Scope, as in Scope("owner_id"), or exempt("why every user may read it").'
        )
    # A class that shares its table with the class that it inherits from adds nothing. One with a
    # table of its own does not inherit that all read what is in it: it may hold more (P50).
    opens = isinstance(scope, Exempt) or scope.read is not None or bool(scope.public)
    inherits = first and not (opens and mapper.inherits is not None)
    if inherits or "__rls__" in vars(mapped_class):
        _note(table, scope, f"{mapped_class.__name__}.__rls__")
    declared = _declared.get(table)
    if isinstance(declared, Scope):
        _defer(mapper, [table.columns[name] for name in declared.secret])


def _defer(mapper: Mapper[Any], columns: list[Column[Any]]) -> None:
    """Have queries leave secret columns out: an admin's would be refused for them.

    `undefer(User.hashed_password)` asks for one. SQLAlchemy has no public call for a column that is
    mapped already; a test fails where a release moves what is set here.
    """
    for column in columns:
        mapped = mapper.get_property_by_column(column)
        if isinstance(mapped, ColumnProperty):
            mapped.deferred = True
            mapped.strategy_key = deferred(column).strategy_key


def _note(table: Table, scope: Scope | Exempt, place: str) -> None:
    if isinstance(scope, Scope):
        if scope.is_user and scope.owner_column is None:
            named = 'name the user\'s, as in Scope.itself("user_id")'
            key = _only_key(table, f"{place}: Scope.itself()", named)
            scope = replace(scope, owner_column=key)
        if scope.tenant_rows is not None and scope.tenant_rows.column is None:
            named = 'name the column of the tenant, as in Scope.tenant("team_id")'
            key = _only_key(table, f"{place}: Scope.tenant()", named)
            scope = replace(scope, tenant_rows=replace(scope.tenant_rows, column=key))
        _check_columns(table, scope, place)
    if scope.recorded is not None:
        scope.recorded.check(table)
    _declared[table] = scope


def _only_key(table: Table, declaration: str, named: str) -> str:
    """Return the one column of the primary key, or raise ConfigurationError."""
    columns = table.primary_key.columns.keys()
    if len(columns) != 1:
        raise ConfigurationError(
            f"{declaration} takes the primary key, and that of table {table.name!r} is not one"
            f" column: {named}."
        )
    return columns[0]


def _check_columns(table: Table, scope: Scope, place: str) -> None:
    owner = scope.owner_column
    if owner is not None and owner not in table.columns:
        inherited = [key.column.table.name for key in table.foreign_keys if key.parent.primary_key]
        through = ", ".join(f'"{column.name}"' for column in table.primary_key)
        hint = (
            f" Its rows belong to {inherited[0]!r}: Scope.through({through})." if inherited else ""
        )
        raise ConfigurationError(
            f"{place} names the owner column {owner!r}, which table {table.name!r} does not have."
            f"{hint}"
        )
    members = scope.member_rows
    named_by_members = (members.tenant, members.user, members.role) if members else ()
    others: Mapping[str, Iterable[str | None]] = {
        "tenant": [scope.tenant_rows.column] if scope.tenant_rows else [],
        "members": named_by_members,
        "and_owner": [scope.also_owner.column] if scope.also_owner else [],
        "and_claim": scope.claims,
        "sign_in": [scope.sign_in_column] if scope.sign_in_column else [],
        "public": [scope.public] if isinstance(scope.public, str) else [],
        "admin_only": scope.admin_only,
        "secret": scope.secret,
    }
    for word, columns in others.items():
        for column in columns:
            if column is not None and column not in table.columns:
                raise ConfigurationError(
                    f"{place}: {word} names {column!r}, which table {table.name!r} does not have:"
                    f" it has {', '.join(table.columns.keys())}."
                )
    _check_columns_options(table, scope, place)
    named = {"through": scope.parents, "unchecked": tuple(scope.unchecked)}
    for word, columns in named.items():
        for column in columns:
            if column not in table.columns or not table.columns[column].foreign_keys:
                keys = ", ".join(key.name for key in table.columns if key.foreign_keys)
                raise ConfigurationError(
                    f"{place}: {word} names {column!r}, which is no foreign key of table"
                    f" {table.name!r}: it has {keys or 'none'}."
                )


def _check_columns_options(table: Table, scope: Scope, place: str) -> None:
    """Raise ConfigurationError for an existing column that cannot be what it is declared as."""
    if isinstance(scope.public, str):
        column = table.columns[scope.public]
        if column.type.compile(_POSTGRESQL) != "BOOLEAN":
            raise ConfigurationError(
                f"{place}: public names {scope.public!r}, which is no boolean column of table"
                f" {table.name!r}: it says of each row whether it is public."
            )
    naming = {scope.sign_in_column, *scope.deciding_columns}
    naming |= set(table.primary_key.columns.keys())
    for word, columns in {"admin_only": scope.admin_only, "secret": scope.secret}.items():
        for name in sorted(name for name in columns if name in naming):
            raise ConfigurationError(
                f"{place}: {word} names {name!r}, by which rows of table {table.name!r} are found:"
                " it takes columns beside the primary key, the owner, the parents and the sign-in."
            )


def scope_of(table: Table) -> Scope | Exempt | None:
    """Return how `table` is kept apart by user, why it is not, or None where nothing is said."""
    return _declared.get(table)


def mapped_class(table: Table) -> type[Any] | None:
    """Return the first class that was mapped to `table`, or None where it has none."""
    known = _mapped.get(table)
    return known() if known else None


def scoped_tables(metadata: MetaData) -> Iterator[tuple[Table, Scope]]:
    """Yield each scoped table of `metadata` with its scope, ordered by name."""
    for table in sorted(metadata.tables.values(), key=lambda table: table.fullname):
        if isinstance(scope := scope_of(table), Scope):
            yield table, scope
