"""The page docs/how-to/declare-whose-rows.md as a model in plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)

import hedgerow
from hedgerow import Scope
from hedgerow.policies.options import ALL_COMMANDS, RowCommand
from hedgerow.policies.scope import ScopeOptions

USERS = tuple(UUID(int=number) for number in (1, 2, 3))
SERVICES = ("report", "import", "another")
ALL = frozenset(ALL_COMMANDS)


@dataclass
class Row:
    id: int
    owner: UUID | None = None
    parents: dict[str, int] = field(default_factory=dict)
    reference: int | None = None
    shown: bool = False
    rank: int = 0


@dataclass
class Model:
    """One table: its declaration, its rows, and what they mean."""

    name: str
    earlier: list["Model"]
    parents: tuple[int, ...] = ()
    everyone: bool = False
    shared: bool = False
    commands: frozenset[RowCommand] = ALL
    reference: int | None = None
    public: bool | str = False
    services: dict[str, frozenset[RowCommand]] = field(default_factory=dict)
    ranked: bool = False
    """Whether only admins change the column `rank`, which is 0 in a row that a user inserts."""
    rows: list[Row] = field(default_factory=list)
    shares: list[tuple[int, UUID, bool]] = field(default_factory=list)

    def parent_keys(self) -> Iterator[tuple[str, "Model"]]:
        for position, parent in enumerate(self.parents):
            yield f"parent{position}", self.earlier[parent]

    def row(self, id: int) -> Row:
        return next(row for row in self.rows if row.id == id)

    def sees(self, user: UUID, row: Row) -> bool:
        if self.everyone or (not self.parents and self.nobody_sees(row)):
            return True
        if self.parents:
            return all(model.sees_id(user, row.parents[key]) for key, model in self.parent_keys())
        return row.owner == user or self._has_share(user, row, to_write=False)

    def nobody_sees(self, row: Row) -> bool:
        """Whether the row is public."""
        if self.public and self.parents:
            return all(
                model.nobody_sees(model.row(row.parents[key])) for key, model in self.parent_keys()
            )
        return row.shown if isinstance(self.public, str) else bool(self.public)

    def granted(self, command: RowCommand) -> bool:
        """Whether the services' database role has the privilege, for whichever of them."""
        return any(command in commands for commands in self.services.values())

    def sees_id(self, user: UUID, id: int) -> bool:
        return self.sees(user, self.row(id))

    def changes(self, user: UUID, row: Row) -> bool:
        """Whether the user may change the row as far as its children are concerned."""
        if self.parents:
            return all(
                model.changes(user, model.row(row.parents[key]))
                for key, model in self.parent_keys()
            )
        return row.owner == user or self._has_share(user, row, to_write=True)

    def _has_share(self, user: UUID, row: Row, *, to_write: bool) -> bool:
        return any(
            (id, with_whom) == (row.id, user) and (may_write or not to_write)
            for id, with_whom, may_write in self.shares
        )

    def may_delete(self, user: UUID, row: Row) -> bool:
        return self.sees(user, row) and (
            self.changes(user, row) if self.parents else row.owner == user
        )

    def may_update(self, user: UUID, row: Row) -> bool:
        return self.sees(user, row) and self.changes(user, row)

    def may_insert(self, user: UUID, row: Row) -> bool:
        may = self.changes(user, row) if self.parents else row.owner == user
        return may and not (self.ranked and row.rank)

    def scope(self) -> Scope:
        options: ScopeOptions = {
            "commands": self.commands,
            "public": self.public,
            "services": self.services,
            "admin_only": {"rank": 0} if self.ranked else {},
        }
        if self.everyone:
            options["read"] = "everyone"
        if self.parents:
            return Scope.through(*(key for key, _ in self.parent_keys()), **options)
        if self.shared:
            options["shared_with"] = f"{self.name}_share"
        return Scope("owner", **options)

    def table(self, metadata: MetaData) -> Table:
        columns: list[Column[Any]] = [
            Column(key, ForeignKey(f"{model.name}.id"), nullable=False, index=True)
            for key, model in self.parent_keys()
        ]
        if not self.parents:
            columns.append(Column("owner", Uuid, nullable=False, index=True))
        if self.reference is not None:
            columns.append(
                Column("reference", ForeignKey(f"{self.earlier[self.reference].name}.id"))
            )
        table = Table(
            self.name, metadata, Column("id", Integer, primary_key=True), Column("title", Text),
            Column("shown", Boolean), Column("rank", Integer), *columns,
        )  # fmt: skip
        return hedgerow.declare(table, self.scope())

    def share_table(self, metadata: MetaData) -> Table:
        table = Table(
            f"{self.name}_share",
            metadata,
            Column("row", ForeignKey(f"{self.name}.id"), primary_key=True),
            Column("user_id", Uuid, primary_key=True),
            Column("can_write", Boolean, nullable=False),
        )
        return hedgerow.declare(table, Scope.through("row"))


def values(model: Model, row: Row) -> dict[str, object]:
    stored: dict[str, object] = {
        "id": row.id, "title": "", "shown": row.shown, "rank": row.rank, **row.parents
    }  # fmt: skip
    if not model.parents:
        stored["owner"] = row.owner
    if model.reference is not None:
        stored["reference"] = row.reference
    return stored
