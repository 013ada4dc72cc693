"""Random schemas from declarations: PostgreSQL shows and allows what a model says (P50, P51)."""

from collections.abc import Iterator
from typing import cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    MetaData,
    Table,
    delete,
    insert,
    select,
    update,
)

from hedgerow import Identity
from hedgerow.policies.options import RowCommand
from tests.hedgerow.policies.declared_draws import draw_row, schemas
from tests.hedgerow.policies.declared_model import SERVICES, USERS, Model, Row, values
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

NOBODY = Identity.anonymous()
REFUSED = "42501"
NO_SUCH_PARENT = "23503"


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
