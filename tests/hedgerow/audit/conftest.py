"""A history of the audit trail to tamper with: written once, and put back for each test."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import URL, Engine

from tests.hedgerow.audit.support import keep, put_back, write_history
from tests.support.databases import Database, clone, clone_template, drop
from tests.support.people import Person, add_person


@dataclass(frozen=True)
class Stage:
    """A database with a history of eight entries: the overseer's, about the rows of `owned`."""

    database: Database
    engine: Engine
    overseer: Person
    owned: Person


@pytest.fixture(scope="session")
def stage(server: URL) -> Iterator[Stage]:
    database = clone_template(server)
    engine = database.engine(database.app_url)
    overseer = add_person(database, "overseer", items=0, superuser=True)
    owned = add_person(database, "carol")
    write_history(engine, overseer, owned)
    keep(database)
    yield Stage(database, engine, overseer, owned)
    drop(database)


@pytest.fixture
def history(stage: Stage) -> Database:
    """Return the database with eight entries in its trail; a test may change all but the schema."""
    put_back(stage.database)
    return stage.database


@pytest.fixture
def own_history(history: Database) -> Iterator[Database]:
    """Yield a copy of the history's database, for a test that changes its schema."""
    database = clone(history)
    yield database
    drop(database)


@pytest.fixture
def engine(stage: Stage) -> Engine:
    """Return the application role's engine on the history's database."""
    return stage.engine


@pytest.fixture
def overseer(stage: Stage) -> Person:
    return stage.overseer


@pytest.fixture
def owned(stage: Stage) -> Person:
    return stage.owned
