"""Whose rows a table holds: what models declare, read from the mapped classes."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal, Self, TypedDict, Unpack, get_args
from weakref import WeakKeyDictionary, ref

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import Mapper

from hedgerow.config.audit import Recorded
from hedgerow.errors import ConfigurationError
from hedgerow.policies.policy import Policy

OWNER_COLUMN = "owner_id"

RowCommand = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
ALL_COMMANDS: tuple[RowCommand, ...] = get_args(RowCommand)

# Not in Table.info, which autogenerate writes into revisions.
_declared: "WeakKeyDictionary[Table, Scope | Exempt]" = WeakKeyDictionary()
_mapped: "WeakKeyDictionary[Table, ref[type[Any]]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Shares:
    """The table whose rows share rows of another: `user` names with whom, `write` whether to write.

    `key` names its column that refers to the shared table; without it, the one that does. Where
    `write` is None, or that boolean column does not exist, rows are shared for reading only.
    """

    table: str
    _: KW_ONLY
    key: str | None = None
    user: str = "user_id"
    write: str | None = "can_write"


class ScopeOptions(TypedDict, total=False):
    """The keyword arguments of `Scope`, for the other kinds too."""

    read: Literal["everyone"] | None
    shared_with: str | Shares | None
    commands: Set[RowCommand]
    policies: tuple[Policy, ...]
    unmanaged: frozenset[str]
    unchecked: Mapping[str, str]
    recorded: Recorded | None


@dataclass(frozen=True)
class Scope:
    """Whose rows a table holds: those of the user that `owner_column` names, or of its parents.

    Set as the class attribute `__rls__` of a mapped class or of a mixin above it, or with
    `hedgerow.declare` for a Table without a class. `Scope.itself()` and `Scope.through()` are the
    other kinds; docs/how-to/declare-whose-rows.md shows each.

    With `read="everyone"` everybody who is signed in reads the rows; writing stays as it is.
    `shared_with` names the table whose rows share rows of this one. `commands` are those that users
    have at all; for the others there is neither a policy nor a privilege. Where `owner_column` is
    None and there is no parent, only admins write.

    `policies` are the table's own, beside these and the admins'; `unmanaged` names policies that
    exist in the database on purpose although no model declares them. `unchecked` names foreign-key
    columns that may refer to rows which their writer cannot see, each with the reason. `recorded`
    says what the audit trail holds of admins' changes: which rows and columns, and no values, where
    nothing is said.

    Raises ConfigurationError for a combination that cannot be meant.
    """

    owner_column: str | None = OWNER_COLUMN
    _: KW_ONLY
    read: Literal["everyone"] | None = None
    shared_with: str | Shares | None = None
    commands: Set[RowCommand] = frozenset(ALL_COMMANDS)
    policies: tuple[Policy, ...] = ()
    unmanaged: frozenset[str] = frozenset()
    unchecked: Mapping[str, str] = field(default_factory=dict, hash=False)
    recorded: Recorded | None = field(default_factory=Recorded)
    parents: tuple[str, ...] = ()
    """The columns that refer to the parents, of `Scope.through`."""
    is_user: bool = False
    """Whether the row is the user itself, as with `Scope.itself`."""

    def __post_init__(self) -> None:
        for policy in self.policies:
            policy.check()
        _check_commands(self.commands)
        if self.read not in (None, "everyone"):
            raise ConfigurationError(f'Scope(read={self.read!r}) is unknown: use read="everyone".')
        if self.read and "SELECT" not in self.commands:
            raise ConfigurationError('Scope(read="everyone") needs SELECT among its commands.')
        if self.parents and (self.owner_column or self.is_user):
            raise ConfigurationError("Scope.through() declares parents, who have no owner beside.")
        if self.shared_with and not self.owner_column:
            raise ConfigurationError("Scope(shared_with=…) needs an owner, who shares the rows.")
        for column, reason in self.unchecked.items():
            if not reason.strip():
                raise ConfigurationError(
                    f"Scope(unchecked=…) needs a reason for {column!r}: say why the key may refer"
                    " to rows which its writer cannot see."
                )

    @classmethod
    def itself(cls, key: str | None = None, **options: Unpack[ScopeOptions]) -> Self:
        """Declare that each row is one user: `key`, or the primary key, is the user's.

        Takes the keyword arguments of `Scope`.
        """
        return cls(key, is_user=True, **options)

    @classmethod
    def through(cls, *columns: str, **options: Unpack[ScopeOptions]) -> Self:
        """Declare children: whoever sees the rows that `columns` refer to sees them.

        Each column has a foreign key to a scoped table. Whoever may change all of these parents
        inserts, changes and deletes the children. Takes the keyword arguments of `Scope`.
        """
        if not columns:
            raise ConfigurationError("Scope.through() needs the column that refers to the parent.")
        return cls(None, parents=columns, **options)

    @property
    def shares(self) -> Shares | None:
        """The table of shares, where rows are shared."""
        return Shares(self.shared_with) if isinstance(self.shared_with, str) else self.shared_with


@dataclass(frozen=True)
class Exempt:
    """A table without row security, the reason why that is right, and what the application may do.

    With `recorded` the audit trail holds what admins change in it all the same.
    """

    reason: str
    commands: Set[RowCommand] = frozenset({"SELECT"})
    recorded: Recorded | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ConfigurationError("An exemption from row security needs a reason: say why.")
        _check_commands(self.commands)


def exempt(
    reason: str,
    *,
    commands: Set[RowCommand] = frozenset({"SELECT"}),
    recorded: Recorded | None = None,
) -> Exempt:
    """Return the `__rls__` of a class whose table needs no row security, for the given reason.

    Requests may only read it, unless `commands` names more.
    """
    return Exempt(reason, commands, recorded)


def declare(table: Table, scope: Scope | Exempt) -> Table:
    """Declare whose rows a Table without a class holds, such as SQLAlchemy's `secondary`.

    Returns the table. Raises ConfigurationError where a column does not exist.
    """
    _note(table, scope, f"declare({table.name!r}, …)")
    return table


def _check_commands(commands: Set[RowCommand] | str) -> None:
    if isinstance(commands, str):  # a string is a set of letters to what follows
        raise ConfigurationError(
            f'commands are a set, as in commands={{"SELECT", "INSERT"}}, got {commands!r}.'
        )
    unknown = sorted(set(commands) - set(ALL_COMMANDS))
    if unknown or not commands:
        raise ConfigurationError(
            f"commands are some of {', '.join(ALL_COMMANDS)}, got {', '.join(unknown) or 'none'}."
        )


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
    opens = isinstance(scope, Exempt) or scope.read is not None
    inherits = first and not (opens and mapper.inherits is not None)
    if inherits or "__rls__" in vars(mapped_class):
        _note(table, scope, f"{mapped_class.__name__}.__rls__")


def _note(table: Table, scope: Scope | Exempt, place: str) -> None:
    if isinstance(scope, Scope):
        if scope.is_user and scope.owner_column is None:
            key = table.primary_key.columns.keys()
            if len(key) != 1:
                raise ConfigurationError(
                    f"{place}: Scope.itself() takes the primary key, and that of table"
                    f" {table.name!r} is not one column: name the user's, as in"
                    ' Scope.itself("user_id").'
                )
            scope = replace(scope, owner_column=key[0])
        _check_columns(table, scope, place)
    if scope.recorded is not None:
        scope.recorded.check(table)
    _declared[table] = scope


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
    named = {"through": scope.parents, "unchecked": tuple(scope.unchecked)}
    for word, columns in named.items():
        for column in columns:
            if column not in table.columns or not table.columns[column].foreign_keys:
                keys = ", ".join(key.name for key in table.columns if key.foreign_keys)
                raise ConfigurationError(
                    f"{place}: {word} names {column!r}, which is no foreign key of table"
                    f" {table.name!r}: it has {keys or 'none'}."
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
