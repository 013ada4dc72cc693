"""Which tables are kept apart by user, and which are not and why, read from the mapped classes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, ref

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import Mapper

from hedgerow.config.audit import Recorded
from hedgerow.errors import ConfigurationError
from hedgerow.policies.policy import Policy

OWNER_COLUMN = "owner_id"

# Not in Table.info, which autogenerate writes into revisions.
_declared: "WeakKeyDictionary[Table, Scope | Exempt]" = WeakKeyDictionary()
_mapped: "WeakKeyDictionary[Table, ref[type[Any]]]" = WeakKeyDictionary()


@dataclass(frozen=True)
class Scope:
    """A table whose rows belong to the user that `owner_column` names.

    Set as the class attribute `__rls__` of a mapped class or of a mixin above it. `policies` are
    the table's own, beside the owner's and the admins'; `unmanaged` names policies that exist in
    the database on purpose although no model declares them. Where `owner_column` is None the
    table has no owner's policies, only its own and the admins'. `recorded` says what the audit
    trail holds of admins' changes: which rows and columns, and no values, where nothing is said.
    """

    owner_column: str | None = OWNER_COLUMN
    policies: tuple[Policy, ...] = ()
    unmanaged: frozenset[str] = frozenset()
    recorded: Recorded | None = field(default_factory=Recorded)

    def __post_init__(self) -> None:
        for policy in self.policies:
            policy.check()


@dataclass(frozen=True)
class Exempt:
    """A table without row security, and the reason why that is right.

    With `recorded` the audit trail holds what admins change in it all the same.
    """

    reason: str
    recorded: Recorded | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ConfigurationError("An exemption from row security needs a reason: say why.")


def exempt(reason: str, recorded: Recorded | None = None) -> Exempt:
    """Return the `__rls__` of a class whose table needs no row security, for the given reason."""
    return Exempt(reason, recorded)


@event.listens_for(Mapper, "after_mapper_constructed")
def _register(mapper: Mapper[Any], mapped_class: type[Any]) -> None:
    """Note the scope on the table as its class is mapped, so that the tables are the registry.

    Raises ConfigurationError where the declared owner column does not exist.
    """
    table = mapper.local_table
    if not isinstance(table, Table):
        return
    _mapped.setdefault(table, ref(mapped_class))
    scope = getattr(mapped_class, "__rls__", None)
    if not isinstance(scope, Scope | Exempt):
        return
    owner = scope.owner_column if isinstance(scope, Scope) else None
    if owner is not None and owner not in table.columns:
        raise ConfigurationError(
            f"{mapped_class.__name__}.__rls__ names the owner column {owner!r}, which"
            f" table {table.name!r} does not have."
        )
    if scope.recorded is not None:
        scope.recorded.check(table)
    _declared[table] = scope


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


def check_declarations(metadata: MetaData) -> None:
    """Raise ConfigurationError for a table that has an owner but neither scope nor exemption."""
    for table in metadata.tables.values():
        if OWNER_COLUMN in table.columns and scope_of(table) is None:
            raise ConfigurationError(
                f"Table {table.fullname!r} has a column {OWNER_COLUMN!r} but no row security:"
                " inherit UserScopedBase, or say why not with __rls__ = hedgerow.exempt('reason')."
            )
