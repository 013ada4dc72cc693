"""Whose rows a table holds: what a model can declare."""

from collections.abc import Mapping, Set
from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self, TypedDict, Unpack, get_args

from hedgerow.config.audit import Recorded
from hedgerow.errors import ConfigurationError
from hedgerow.policies.policy import Policy

OWNER_COLUMN = "owner_id"

RowCommand = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
ALL_COMMANDS: tuple[RowCommand, ...] = get_args(RowCommand)


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
    public: bool | str
    services: Mapping[str, Set[RowCommand]]
    admin_only: Mapping[str, Any]
    secret: Set[str]


@dataclass(frozen=True)
class Scope:
    """Whose rows a table holds: those of the user that `owner_column` names, or of its parents.

    Set as the class attribute `__rls__` of a mapped class or of a mixin above it, or with
    `hedgerow.declare` for a Table without a class. `Scope.itself()` and `Scope.through()` are the
    other kinds; docs/how-to/declare-whose-rows.md shows each.

    With `read="everyone"` everybody who is signed in reads the rows; writing stays as it is.
    `public` lets whoever asks read them, signed in or `Identity.anonymous()`: all rows, or those
    for which the boolean column of that name is true; of children, those of such parents.
    `services` names the jobs (`Identity.service`) that reach all rows, each with its commands;
    those that insert or update write all columns.
    `shared_with` names the table whose rows share rows of this one. `commands` are those that users
    have at all; for the others there is neither a policy nor a privilege. Where `owner_column` is
    None and there is no parent, only admins write. `admin_only` names columns that only admins
    change, each with the value that a row has which a user inserts. Columns in `secret` are read by
    the row's own user and by signing in, and by nobody else: not by admins, nor by services.

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
    sign_in_column: str | None = None
    """The column that names a user who signs in, of `Scope.itself`."""
    public: bool | str = False
    services: Mapping[str, Set[RowCommand]] = field(default_factory=dict, hash=False)
    admin_only: Mapping[str, Any] = field(default_factory=dict, hash=False)
    secret: Set[str] = frozenset()

    def __post_init__(self) -> None:
        for policy in self.policies:
            policy.check()
        _check_commands(self.commands)
        _check_services(self.services)
        _check_public(self.public, self.commands)
        if self.public is not True and self.public and self.parents:
            raise ConfigurationError(
                "Scope.through(public=…) takes True: children are public with their parents."
            )
        _check_kinds_of_columns(self.admin_only, self.secret)
        if self.secret and (self._is_read_by_others or not (self.owner_column or self.is_user)):
            raise ConfigurationError(
                "Scope(secret=…) needs rows that only their user reads: privileges of columns hold"
                " for all rows alike. Put the secret columns into a table of their own."
            )
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
    def itself(
        cls, key: str | None = None, *, sign_in: str | None = None, **options: Unpack[ScopeOptions]
    ) -> Self:
        """Declare that each row is one user: `key`, or the primary key, is the user's.

        `sign_in` names the column, such as "email", by which `Identity.sign_in` finds the row of a
        user, or inserts it, unless `commands` leave INSERT out; users insert no row then. Takes the
        keyword arguments of `Scope`.
        """
        return cls(key, is_user=True, sign_in_column=sign_in, **options)

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
    def _is_read_by_others(self) -> bool:
        """Whether some row is read by users whose it is not."""
        own_policies = (p.permissive and p.command in ("SELECT", "ALL") for p in self.policies)
        return bool(
            self.read or self.public or self.shared_with or self.parents or self.unmanaged
        ) or any(own_policies)

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
    public: bool = False
    services: Mapping[str, Set[RowCommand]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ConfigurationError("An exemption from row security needs a reason: say why.")
        _check_commands(self.commands)
        _check_services(self.services)
        if not isinstance(self.public, bool):
            raise ConfigurationError(
                "exempt(public=…) takes True: without row security all rows are alike. Declare"
                f" Scope(None, public={self.public!r}) for some of them."
            )
        _check_public(self.public, self.commands)


def exempt(
    reason: str,
    *,
    commands: Set[RowCommand] = frozenset({"SELECT"}),
    recorded: Recorded | None = None,
    public: bool = False,
    services: Mapping[str, Set[RowCommand]] = MappingProxyType({}),
) -> Exempt:
    """Return the `__rls__` of a class whose table needs no row security, for the given reason.

    Users may only read it, unless `commands` names more. With `public` so does
    `Identity.anonymous()`; `services` names the jobs that may use it, each with its commands.

    The trap: without row security nothing asks for a service's name. What one service may, each
    may; and so may SQL in any transaction of the application's that takes the services' database
    role. What is not for everybody is a `Scope(None, services=…)`.
    """
    return Exempt(reason, commands, recorded, public, services)


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


def _check_services(services: Mapping[str, Set[RowCommand]]) -> None:
    """Raise ConfigurationError for services without a name or without a command."""
    if not isinstance(services, Mapping):
        raise ConfigurationError(
            f'services map a name to commands, as in {{"report": {{"SELECT"}}}}, got {services!r}.'
        )
    for name, commands in services.items():
        if not name.strip():
            raise ConfigurationError("A service needs a name, as in Identity.service('report').")
        _check_commands(commands)
        if "SELECT" not in commands and not {"UPDATE", "DELETE"}.isdisjoint(commands):
            raise ConfigurationError(
                f"Service {name!r} needs SELECT too, or its UPDATE and DELETE would find no row."
            )


def _check_public(public: bool | str, commands: Set[RowCommand]) -> None:
    """Raise ConfigurationError for rows that nobody reads and users do not."""
    if not isinstance(public, bool | str):
        raise ConfigurationError(
            f'public is True or a boolean column, as in public="is_published", got {public!r}.'
        )
    if public and "SELECT" not in commands:
        raise ConfigurationError("What is public needs SELECT among its commands.")


def _check_kinds_of_columns(admin_only: Mapping[str, Any], secret: Set[str] | str) -> None:
    """Raise ConfigurationError for columns that are named in another way than is read."""
    if not isinstance(admin_only, Mapping):
        raise ConfigurationError(
            "admin_only maps a column to the value of a row that a user inserts, as in"
            f' {{"is_superuser": False}}, got {admin_only!r}.'
        )
    if isinstance(secret, str):  # a string is a set of letters to what follows
        raise ConfigurationError(
            f'secret is a set of columns, as in {{"hashed_password"}}, got {secret!r}.'
        )
