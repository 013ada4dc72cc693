"""The names that a project's models and routes use: UserScopedBase and AdminContext."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

import hedgerow
from app.core.rls import AdminContext, row_security
from app.models import Item
from hedgerow import Identity, scoped_tables
from tests.support.databases import PROJECT, Database
from tests.support.people import Person, add_person
from tests.support.processes import run_command

NEW_MODEL = Path(__file__).with_name("new_model.py")


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = database.engine(database.app_url)
    yield engine
    engine.dispose()


def test_items_and_accounts_are_scoped() -> None:
    scoped = {table.name for table, _ in scoped_tables(SQLModel.metadata)}
    assert scoped >= {"item", "user"}


def test_a_new_model_is_kept_apart(fresh_database: Database) -> None:
    """In a process of its own: the model would stay in the MetaData of the others' tests."""
    alice = add_person(fresh_database, "alice")
    bob = add_person(fresh_database, "bob")
    done = run_command(
        [sys.executable, "-W", "error", NEW_MODEL, str(alice.id), str(bob.id)],
        folder=PROJECT,
        environment=fresh_database.environment(PYTHONPATH=str(PROJECT)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["alice's row of alice@example.com", "bob's row"]


def test_admin_context(engine: Engine, alice: Person, bob: Person) -> None:
    with Session(engine) as session:
        hedgerow.bind(session, Identity(alice.id), row_security)
        for create in (AdminContext.create_full_admin, AdminContext.create_read_only_admin):
            with create(alice.id, session) as admin_ctx:
                items = session.exec(select(Item)).all()
            assert admin_ctx.identity.user_id == alice.id
            assert {item.id for item in items} == {*alice.items, *bob.items}
            own = session.exec(select(Item)).all()
            assert {item.id for item in own} == set(alice.items)
