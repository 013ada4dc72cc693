"""Whose rows a table holds: what a model can declare."""

from collections.abc import Mapping, Set
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal, Self, TypedDict, Unpack, get_args

from hedgerow.config.audit import Recorded
from hedgerow.errors import ConfigurationError
from hedgerow.policies.options import (
    ALL_COMMANDS,
    RowCommand,
    check_commands,
    check_kinds_of_columns,
    check_public,
    check_services,
)
from hedgerow.policies.policy import Policy
from hedgerow.policies.tenant_rows import AlsoOwner, MemberRows, TenantRows, roles_given

OWNER_COLUMN = "owner_id"

Readers = Literal["everyone", "co_members"]
"""Who reads rows beside those whose they are: whoever is signed in, or who shares a tenant."""


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


class TenantOptions(TypedDict, total=False):
    """The keyword arguments that `Scope.tenant` shares with the other kinds."""

    commands: Set[RowCommand]
    policies: tuple[Policy, ...]
    unmanaged: frozenset[str]
    unchecked: Mapping[str, str]
    recorded: Recorded | None
    public: bool | str
    services: Mapping[str, Set[RowCommand]]
    admin_only: Mapping[str, Any]


class ScopeOptions(TenantOptions, total=False):
    """The keyword arguments of `Scope`, for the other kinds too."""

    read: Readers | None
    shared_with: str | Shares | None
    secret: Set[str]


@dataclass(frozen=True)
class Scope:
    """Whose rows a table holds: those of the user that `owner_column` names, or of its parents.

    Set as the class attribute `__rls__` of a mapped class or of a mixin above it, or with
    `hedgerow.declare` for a Table without a class. `Scope.itself()`, `Scope.through()`,
    `Scope.tenant()` and `Scope.members()` are the other kinds; docs/how-to/declare-whose-rows.md
    shows each.

    With `read="everyone"` everybody who is signed in reads the rows, with `read="co_members"` who
    is a member of a tenant together with their user; writing stays as it is.
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
    read: Readers | None = None
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
    tenant_rows: TenantRows | None = None
    """Which tenant's rows they are, of `Scope.tenant`."""
    member_rows: MemberRows | None = None
    """Which columns say who belongs to which tenant, of `Scope.members`."""
    also_owner: AlsoOwner | None = None
    """Whose rows they are as well, of `and_owner`."""
    claims: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The claim of the identity that each of these columns must equal, of `and_claim`."""

    def __post_init__(self) -> None:
        for policy in self.policies:
            policy.check()
        check_commands(self.commands)
        check_services(self.services)
        check_public(self.public, self.commands)
        if self.public is not True and self.public and self.parents:
            raise ConfigurationError(
                "Scope.through(public=…) takes True: children are public with their parents."
            )
        check_kinds_of_columns(self.admin_only, self.secret)
        if self.secret and (self._is_read_by_others or not (self.owner_column or self.is_user)):
            raise ConfigurationError(
                "Scope(secret=…) needs rows that only their user reads: privileges of columns hold"
                " for all rows alike. Put the secret columns into a table of their own."
            )
        if self.read not in (None, *get_args(Readers)):
            raise ConfigurationError(
                f'Scope(read={self.read!r}) is unknown: use read="everyone" or read="co_members".'
            )
        if self.read and "SELECT" not in self.commands:
            raise ConfigurationError(f'Scope(read="{self.read}") needs SELECT among its commands.')
        if self.read == "co_members" and not (
            self.owner_column or self.is_user or self.member_rows
        ):
            raise ConfigurationError(
                'Scope(read="co_members") needs rows of a user, whose co-members read them.'
            )
        if self.also_owner and (self.owner_column or self.is_user or self.member_rows):
            raise ConfigurationError(
                "and_owner() follows Scope.tenant(), Scope.through() or and_claim(): these rows"
                " have an owner already."
            )
        if self.claims and (self.is_user or self.member_rows):
            raise ConfigurationError(
                "and_claim() follows no Scope.itself() and no Scope.members(): who somebody is,"
                " and where a member, holds whatever is claimed."
            )
        if self.claims and self.public:
            raise ConfigurationError(
                "and_claim() and public contradict each other: nobody in particular claims nothing."
            )
        if self.read == "everyone" and self.also_owner and self.also_owner.to_read:
            raise ConfigurationError(
                'read="everyone" and and_owner() contradict each other: say to_read=False, where'
                " that user alone writes."
            )
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

    @classmethod
    def tenant(
        cls,
        column: str | None = None,
        *,
        read: Set[str] | Literal["everyone"] | None = None,
        write: Set[str] | None = None,
        delete: Set[str] | None = None,
        **options: Unpack[TenantOptions],
    ) -> Self:
        """Declare rows of the tenant that `column` names: its members see them, and no others.

        `read`, `write` (INSERT and UPDATE) and `delete` are the roles that a member needs; without
        one every member may, and who may write may delete. With `read="everyone"` whoever is signed
        in reads. Without `column` each row is itself a tenant: whoever inserts one becomes its
        first owner in the same statement.

        A table declared with `Scope.members()` says who is a member. The tenant of a row does not
        change, except by an admin of the application.
        """
        writers = roles_given("write", write)
        rows = TenantRows(
            column,
            read=None if read == "everyone" else roles_given("read", read),
            write=writers,
            delete=writers if delete is None else roles_given("delete", delete),
        )
        everyone: Readers | None = "everyone" if read == "everyone" else None
        return cls(None, read=everyone, tenant_rows=rows, **options)

    @classmethod
    def members(
        cls,
        *,
        tenant: str,
        user: str = "user_id",
        role: str | None = "role",
        owner: str = "owner",
        admins: Set[str] = frozenset(),
        **options: Unpack[ScopeOptions],
    ) -> Self:
        """Declare who belongs to which tenant: each row makes `user` a member of `tenant`.

        Users see their own memberships; with `read="co_members"` all of their tenants. They may
        leave. Members whose `role` is `owner` change and remove each membership of their tenant;
        those whose role is in `admins` change others' than their own and the owners'. The last
        owner of a tenant stays.

        Nobody makes another person a member who has not agreed, so INSERT is a service's, unless
        `commands` has it: then owners and admins insert, admins not as `owner`. Where `role` is
        None members have no roles; they may leave.
        """
        if role is None and admins:
            raise ConfigurationError(
                "Scope.members(role=None, admins=…) contradicts itself: admins are members with a"
                " role. Name the column of the role, or leave admins out."
            )
        rows = MemberRows(
            tenant,
            user,
            role,
            owner,
            roles_given("admins", admins or None, "for none") or frozenset(),
        )
        options.setdefault("commands", frozenset({"SELECT", "UPDATE", "DELETE"}))
        return cls(None, member_rows=rows, **options)

    def and_owner(self, column: str, *, to_read: bool = True) -> Self:
        """Declare that rows belong to the user that `column` names as well: both must hold.

        With `to_read=False` others read them as before, and that user alone writes.
        """
        if self.also_owner:  # the second would take the place of the first
            raise ConfigurationError(
                f"and_owner({column!r}) follows and_owner({self.also_owner.column!r}): a row"
                " belongs to one user, so name one column."
            )
        return replace(self, also_owner=AlsoOwner(column, to_read))

    def and_claim(self, column: str, claim: str | None = None) -> Self:
        """Declare that `column` must equal a claim of the identity as well, that of its own name.

        `Identity(…, claims={"location": …})` carries it. After `Scope(None)` it alone decides, so
        the rows are of whoever the application says that carries it.
        """
        return replace(self, claims={**self.claims, column: claim or column})

    @property
    def _is_read_by_others(self) -> bool:
        """Whether some row is read by users whose it is not."""
        own_policies = (p.permissive and p.command in ("SELECT", "ALL") for p in self.policies)
        return bool(
            self.read or self.public or self.shared_with or self.parents or self.unmanaged
        ) or any(own_policies)

    @property
    def deciding_columns(self) -> tuple[str, ...]:
        """The columns that decide whose a row is, those by which it is found first."""
        rows = self.tenant_rows
        columns = (
            self.owner_column,
            *self.parents,
            rows.column if rows else None,
            self.also_owner.column if self.also_owner else None,
            *((self.member_rows.user, self.member_rows.tenant) if self.member_rows else ()),
            *self.claims,
        )
        return tuple(column for column in columns if column is not None)

    @property
    def shares(self) -> Shares | None:
        """The table of shares, where rows are shared."""
        return Shares(self.shared_with) if isinstance(self.shared_with, str) else self.shared_with
