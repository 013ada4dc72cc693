"""Which tables are kept apart by user, read from the mapped classes themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Table, event
from sqlalchemy.orm import Mapper

from hedgerow.errors import ConfigurationError

_INFO_KEY = "hedgerow.scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """A table whose rows belong to the user that `owner_column` names.

    Set as the class attribute `__rls__` of a mapped class or of a mixin above it.
    """

    owner_column: str = "owner_id"


@event.listens_for(Mapper, "after_mapper_constructed")
def _register(mapper: Mapper[Any], mapped_class: type[Any]) -> None:
    """Note the scope on the table as its class is mapped, so that the MetaData is the registry.

    Raises ConfigurationError where the declared owner column does not exist.
    """
    scope = getattr(mapped_class, "__rls__", None)
    if not isinstance(scope, Scope) or not isinstance(mapper.local_table, Table):
        return
    table = mapper.local_table
    if scope.owner_column not in table.columns:
        raise ConfigurationError(
            f"{mapped_class.__name__}.__rls__ names the owner column {scope.owner_column!r}, which"
            f" table {table.name!r} does not have."
        )
    table.info[_INFO_KEY] = scope


def scope_of(table: Table) -> Scope | None:
    """Return how `table` is kept apart by user, or None where it is open."""
    scope = table.info.get(_INFO_KEY)
    return scope if isinstance(scope, Scope) else None


def scoped_tables(metadata: MetaData) -> Iterator[tuple[Table, Scope]]:
    """Yield each scoped table of `metadata` with its scope, ordered by name."""
    for table in sorted(metadata.tables.values(), key=lambda table: table.fullname):
        if (scope := scope_of(table)) is not None:
            yield table, scope
