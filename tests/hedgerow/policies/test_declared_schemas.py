"""Random schemas from declarations: PostgreSQL shows and allows what a plain model says (P50, P51).

The model below is the page docs/how-to/declare-whose-rows.md in Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    delete,
    insert,
    select,
    update,
)

import hedgerow
from hedgerow import Identity, Scope
from hedgerow.policies.scope import ALL_COMMANDS, RowCommand, ScopeOptions
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

USERS = tuple(UUID(int=number) for number in (1, 2, 3))
NOBODY = Identity.anonymous()
SERVICES = ("report", "import", "another")
REFUSED = "42501"
NO_SUCH_PARENT = "23503"
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


@st.composite
def schemas(draw: st.DrawFn) -> list[Model]:
    """Draw two to four tables, each declared in some way, with rows of three users."""
    models: list[Model] = []
    for position in range(draw(st.integers(2, 4))):
        earlier = list(models)
        indexes = st.integers(0, position - 1) if position else st.nothing()
        parents = draw(st.lists(indexes, max_size=2)) if position else []
        model = Model(
            f"t{position}",
            earlier,
            parents=tuple(parents),
            everyone=draw(st.booleans()) and draw(st.booleans()),
            shared=not parents and draw(st.booleans()),
            commands=draw(st.sampled_from([ALL, ALL, ALL, frozenset({"SELECT", "INSERT"})])),
            reference=draw(st.none() | indexes) if position else None,
            public=draw_public(draw, [earlier[parent] for parent in parents]),
            services=draw(st.dictionaries(st.sampled_from(SERVICES[:2]), COMMANDS, max_size=2)),
            ranked=draw(st.booleans()),
        )
        _let_services_read(model)
        ready = all(earlier[parent].rows for parent in parents)
        for id in range(draw(st.integers(1, 5)) if ready else 0):
            model.rows.append(draw_row(draw, model, id))
        if model.shared:
            pairs = st.tuples(st.sampled_from(model.rows), st.sampled_from(USERS), st.booleans())
            drawn = draw(
                st.lists(pairs, max_size=4, unique_by=lambda share: (share[0].id, share[1]))
            )
            model.shares = [(row.id, user, may) for row, user, may in drawn]
        models.append(model)
    return models


COMMANDS: st.SearchStrategy[frozenset[RowCommand]] = st.sampled_from(
    [ALL, frozenset({"SELECT"}), frozenset({"INSERT"}), frozenset({"SELECT", "DELETE"})]
)


def draw_public(draw: st.DrawFn, parents: list[Model]) -> bool | str:
    """Draw what a table may say of it: children of what is not public cannot be."""
    choices: list[bool | str] = [False, False, True, "shown"]
    if parents:
        choices = [False, all(parent.public for parent in parents)]
    return draw(st.sampled_from(choices))


def _let_services_read(model: Model) -> None:
    """Have each service that writes a key read what it refers to, without which it would fail."""
    if model.reference is not None:
        referred = model.earlier[model.reference]
        for name, commands in model.services.items():
            if "INSERT" in commands:
                already = referred.services.get(name, frozenset())
                referred.services[name] = already | {"SELECT"}
                _let_services_read(referred)


def draw_row(draw: st.DrawFn, model: Model, id: int) -> Row:
    row = Row(id, shown=draw(st.booleans()), rank=draw(st.integers(0, 1)))
    if not model.parents:
        row.owner = draw(st.sampled_from(USERS))
    for key, parent in model.parent_keys():
        row.parents[key] = draw(st.sampled_from(parent.rows)).id
    if model.reference is not None and model.earlier[model.reference].rows:
        row.reference = draw(st.none() | st.sampled_from(model.earlier[model.reference].rows).map(
            lambda row: row.id))  # fmt: skip
    return row


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(models=schemas(), data=st.data())
def test_rows_are_seen_and_changed_as_declared(
    ground: Playground, models: list[Model], data: st.DataObject
) -> None:
    """P50, P51, P53, P54: for each command, whatever is declared through what."""
    savepoint = ground.owner.begin_nested()
    try:
        metadata = MetaData()
        tables = {model.name: model.table(metadata) for model in models}
        share_tables = {m.name: m.share_table(metadata) for m in models if m.shared}
        ground.protect(metadata)
        for model in models:
            if model.rows:
                ground.owner.execute(
                    insert(tables[model.name]), [values(model, row) for row in model.rows]
                )
            for id, user, may_write in model.shares:
                share = {"row": id, "user_id": user, "can_write": may_write}
                ground.owner.execute(insert(share_tables[model.name]).values(share))
        for user in USERS:
            for model in models:
                _compare(ground, user, model, tables[model.name], data)
                if model.shared:
                    _compare_shares(ground, user, model, share_tables[model.name])
        for model in models:
            _compare_nobody(ground, model, tables[model.name])
            for name in SERVICES:
                _compare_service(ground, name, model, tables[model.name], data)
    finally:
        savepoint.rollback()


def _compare(
    ground: Playground, user: UUID, model: Model, table: Table, data: st.DataObject
) -> None:
    with ground.acting_as(user) as connection:
        seen = set(connection.scalars(select(table.c.id)))
    assert seen == {row.id for row in model.rows if model.sees(user, row)}
    for row in model.rows:
        is_row = table.c.id == row.id
        retitle = ground.attempt(user, update(table).where(is_row).values(title="new"))
        if "UPDATE" in model.commands:
            assert retitle == int(model.may_update(user, row))
        else:
            assert retitle == REFUSED
        if model.ranked:
            promotion = update(table).where(is_row).values(rank=1)
            assert ground.attempt(user, promotion) == REFUSED
        # In a savepoint of its own, and unreferenced: a foreign key is no matter of policies.
        removal = ground.attempt(user, delete(table).where(is_row))
        if "DELETE" not in model.commands:
            assert removal == REFUSED
        elif model.may_delete(user, row):
            assert removal in {1, NO_SUCH_PARENT}
        else:
            assert removal == 0
        if not model.parents and "UPDATE" in model.commands:
            for other in USERS:
                given = ground.attempt(user, update(table).where(is_row).values(owner=other))
                assert given == _giving(model, user, row, other)
    if all(parent.rows for _, parent in model.parent_keys()):
        row = draw_row(cast(st.DrawFn, data.draw), model, 100)
        added = ground.attempt(user, insert(table).values(values(model, row)).inline())
        assert added == _adding(model, user, row)


def _giving(model: Model, user: UUID, row: Row, other: UUID) -> int | str:
    """What comes of an UPDATE of the owner: where rows are shared, nobody may."""
    if model.shared or (model.may_update(user, row) and other != user):
        return REFUSED
    return int(model.may_update(user, row))


def _adding(model: Model, user: UUID, row: Row) -> int | str:
    if not model.may_insert(user, row):
        return REFUSED
    if row.reference is not None:
        referred = model.earlier[model.reference or 0]
        if not referred.sees_id(user, row.reference):
            return NO_SUCH_PARENT
    return 1


def _compare_shares(ground: Playground, user: UUID, model: Model, table: Table) -> None:
    with ground.acting_as(user) as connection:
        seen = {(row, who) for row, who in connection.execute(select(table.c.row, table.c.user_id))}
    assert seen == {(id, who) for id, who, _ in model.shares if model.sees_id(user, id)}
    for row in model.rows:
        sharing = {"row": row.id, "user_id": UUID(int=99), "can_write": True}
        made = ground.attempt(user, insert(table).values(sharing).inline())
        assert made == (1 if row.owner == user else REFUSED)
        promoted = ground.attempt(
            user, update(table).where(table.c.row == row.id).values(can_write=True)
        )
        own = sum(id == row.id for id, *_ in model.shares) if row.owner == user else 0
        assert promoted == own


def _compare_nobody(ground: Playground, model: Model, table: Table) -> None:
    """Who is nobody reads what is public, and does nothing else."""
    for statement in (
        insert(table).values(id=100).inline(),
        update(table).values(title=""),
        delete(table),
    ):
        assert ground.attempt(NOBODY, statement) == REFUSED
    if not model.public:
        assert ground.attempt(NOBODY, select(table.c.id)) == REFUSED
        return
    with ground.acting_as(NOBODY) as connection:
        seen = set(connection.scalars(select(table.c.id)))
    assert seen == {row.id for row in model.rows if model.nobody_sees(row)}


def _compare_service(
    ground: Playground, name: str, model: Model, table: Table, data: st.DataObject
) -> None:
    """A service does with all rows what the declaration names it for."""
    own = model.services.get(name, frozenset())
    identity = Identity.service(name)

    def expected(command: RowCommand, rows: int) -> int | str:
        if not model.granted(command):
            return REFUSED
        return rows if command in own else 0

    reading = select(table.c.id)
    assert ground.attempt(identity, reading) == expected("SELECT", len(model.rows))
    for row in model.rows:
        # A comparison reads the column, which takes the privilege to.
        is_row = table.c.id == row.id
        readable = model.granted("SELECT")
        retitle = ground.attempt(identity, update(table).where(is_row).values(title="", rank=1))
        assert retitle == (expected("UPDATE", 1) if readable else REFUSED)
        removal = ground.attempt(identity, delete(table).where(is_row))
        allowed = expected("DELETE", 1) if readable else REFUSED
        assert removal == allowed or (allowed == 1 and removal == NO_SUCH_PARENT)
    if all(parent.rows for _, parent in model.parent_keys()):
        row = draw_row(cast(st.DrawFn, data.draw), model, 100)
        added = ground.attempt(identity, insert(table).values(values(model, row)).inline())
        assert added == (1 if "INSERT" in own else REFUSED)
