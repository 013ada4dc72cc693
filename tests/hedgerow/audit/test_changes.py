"""What an admin changes is recorded with it: by the ORM, by Core, by raw SQL, and by cascades."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, RowMapping, create_engine, delete, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import SQLModel, col

import hedgerow
from app.models import Item, User
from hedgerow import ConfigurationError, Identity, Recorded, Role
from tests.hedgerow.audit.entries import changes, elevations, entries
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.raw import become, connect
from tests.support.sessions import ROW_SECURITY, AdminContext, session_of, visible


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.app_url)
    yield engine
    engine.dispose()


def insert_by_orm(session: Session, item: UUID, owner: UUID) -> None:
    session.add(Item(id=item, owner_id=owner, title="new"))


def update_by_orm(session: Session, item: UUID, owner: UUID) -> None:
    session.get_one(Item, item).title = "changed"


def delete_by_orm(session: Session, item: UUID, owner: UUID) -> None:
    session.delete(session.get_one(Item, item))


def insert_by_core(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(insert(Item).values(id=item, owner_id=owner, title="new"))


def update_by_core(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(update(Item).where(col(Item.id) == item).values(title="changed"))


def delete_by_core(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(delete(Item).where(col(Item.id) == item))


def insert_by_text(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(
        text("INSERT INTO item (id, owner_id, title, created_at) VALUES (:i, :o, 'new', now())"),
        {"i": item, "o": owner},
    )


def update_by_text(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(text("UPDATE item SET title = 'changed' WHERE id = :i"), {"i": item})


def delete_by_text(session: Session, item: UUID, owner: UUID) -> None:
    session.execute(text("DELETE FROM item WHERE id = :i"), {"i": item})


Work = Callable[[Session, UUID, UUID], None]
WORK: dict[str, tuple[Work, ...]] = {
    "INSERT": (insert_by_orm, insert_by_core, insert_by_text),
    "UPDATE": (update_by_orm, update_by_core, update_by_text),
    "DELETE": (delete_by_orm, delete_by_core, delete_by_text),
}
CASES = [(command, work) for command, works in WORK.items() for work in works]
WHOLE_ROW = {"id", "owner_id", "title", "description", "created_at"}


def what(entry: RowMapping) -> dict[str, Any]:
    names = ("table_name", "row_key", "owner", "command", "changes", "role", "login")
    return {name: entry[name] for name in names}


@pytest.mark.parametrize(("command", "work"), CASES)
def test_a_change_is_recorded(
    command: str, work: Work, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    item = uuid4() if command == "INSERT" else alice.items[0]
    with session_of(engine, admin, Role.ADMIN) as session:
        work(session, item, alice.id)
        session.commit()
    (entry,) = changes(database, admin)
    (elevation,) = elevations(database, admin)
    assert what(entry) == {
        "table_name": "public.item",
        "row_key": {"id": str(item)},
        "owner": str(alice.id),
        "command": command,
        "changes": None,
        "role": "admin",
        "login": "rls_app_user",
    }
    assert entry["elevation"] == elevation["id"]
    assert set(entry["columns"]) == ({"title"} if command == "UPDATE" else WHOLE_ROW)
    assert entry["position"] > elevation["position"]


@pytest.mark.parametrize(("command", "work"), CASES)
def test_what_is_rolled_back_is_no_change_but_was_an_elevation(
    command: str, work: Work, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with session_of(engine, admin, Role.ADMIN) as session:
        work(session, uuid4() if command == "INSERT" else alice.items[0], alice.id)
        session.flush()
        session.rollback()
        with session.begin_nested() as savepoint:
            work(session, uuid4() if command == "INSERT" else alice.items[0], alice.id)
            session.flush()
            savepoint.rollback()
        session.commit()
    assert changes(database, admin) == []
    assert len(elevations(database, admin)) == 2


@pytest.mark.parametrize(("command", "work"), CASES)
def test_what_users_change_of_their_own_is_not_recorded(
    command: str, work: Work, engine: Engine, database: Database, alice: Person
) -> None:
    with session_of(engine, alice) as session:
        work(session, uuid4() if command == "INSERT" else alice.items[0], alice.id)
        session.commit()
    assert entries(database, owner=str(alice.id)) == []


def test_a_user_who_goes_takes_their_items_unrecorded(
    engine: Engine, database: Database, alice: Person
) -> None:
    """P33."""
    with session_of(engine, alice) as session:
        session.execute(delete(User).where(col(User.id) == alice.id))
        session.commit()
    assert entries(database, owner=str(alice.id)) == []
    assert entries(database, row_key={"id": str(alice.id)}) == []


@pytest.mark.parametrize("statement", ["orm", "text"])
def test_what_a_cascade_deletes_is_the_admins_too(
    statement: str, engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    """P33: it is deleted as the owner of the table, with no policy asked."""
    with session_of(engine, admin, Role.ADMIN) as session:
        if statement == "orm":
            session.delete(session.get_one(User, alice.id))
        else:
            session.execute(text('DELETE FROM "user" WHERE id = :id'), {"id": alice.id})
        session.commit()
    recorded = changes(database, admin)
    deleted = {(entry["table_name"], entry["row_key"]["id"]) for entry in recorded}
    assert deleted == {
        ('public."user"', str(alice.id)),
        *(("public.item", str(item)) for item in alice.items),
    }
    assert {entry["command"] for entry in recorded} == {"DELETE"}
    (elevation,) = elevations(database, admin)
    assert {entry["elevation"] for entry in recorded} == {elevation["id"]}


def test_values_of_the_columns_that_a_model_names_and_no_others(
    engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with session_of(engine, admin, Role.ADMIN) as session:
        user = session.get_one(User, alice.id)
        user.is_active, user.hashed_password, user.full_name = False, "a new hash", "Alice"
        session.commit()
    (entry,) = changes(database, admin)
    assert set(entry["columns"]) == {"is_active", "hashed_password", "full_name"}
    assert entry["changes"] == {"is_active": [True, False]}
    everything = str([dict(entry) for entry in entries(database)])
    assert "a new hash" not in everything


@pytest.mark.parametrize("name", ["hashed_password", "no_such_column"])
def test_values_of_secrets_and_of_missing_columns_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Recorded(values=frozenset({name})).check(SQLModel.metadata.tables["user"])


def test_only_what_happens_inside_the_block_is_the_admins(
    engine: Engine, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    """P18: what is pending before the block is the user's, what is pending at its end is not."""
    with session_of(engine, alice) as session:
        session.add(Item(owner_id=alice.id, title="before"))
        with AdminContext.create_full_admin(alice.id, session):
            inside = Item(owner_id=bob.id, title="inside")
            session.add(inside)
        session.add(Item(owner_id=alice.id, title="after"))
        session.flush()
        update_by_text(session, alice.items[0], alice.id)
        session.commit()
        update_by_text(session, alice.items[1], alice.id)
        session.commit()
    (entry,) = changes(database, alice)
    assert (entry["row_key"], entry["owner"]) == ({"id": str(inside.id)}, str(bob.id))


def test_a_connection_that_is_no_admins_any_more(
    engine: Engine, database: Database, alice: Person
) -> None:
    """P11: neither in the same transaction nor in the next one of the pooled connection."""
    with engine.connect() as connection:
        hedgerow.bind(connection, Identity(alice.id, Role.ADMIN), ROW_SECURITY)
        connection.execute(text("UPDATE item SET title = '1'"))
        hedgerow.bind(connection, Identity(alice.id), ROW_SECURITY)
        connection.execute(text("UPDATE item SET title = '2'"))
        connection.commit()
        connection.execute(text("UPDATE item SET title = '3'"))
        connection.commit()
    assert len(changes(database, alice)) == len(alice.items)


@pytest.fixture
def maintenance(database: Database) -> Iterator[Engine]:
    engine = create_engine(database.maintenance_url)
    yield engine
    engine.dispose()


def test_who_maintains_with_an_identity_is_named(
    maintenance: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with session_of(maintenance, admin, Role.MAINTENANCE) as session:
        assert visible(session) == set(alice.items)
        update_by_text(session, alice.items[0], alice.id)
        session.commit()
    (elevation,) = elevations(database, admin)
    (entry,) = changes(database, admin)
    for each in (elevation, entry):
        assert (each["role"], each["login"]) == ("admin", "rls_maintenance_admin")
    assert entry["elevation"] == elevation["id"]


def test_who_maintains_without_one_is_known_by_the_login(database: Database, alice: Person) -> None:
    with connect(database.maintenance_url) as connection:
        connection.execute("UPDATE item SET title = 'x' WHERE id = %s", [alice.items[0]])
        connection.commit()
    (entry,) = entries(database, event="change", owner=str(alice.id))
    assert (entry["user_id"], entry["elevation"]) == (None, None)
    assert (entry["role"], entry["login"]) == ("maintenance", "rls_maintenance_admin")


def test_maintenance_cannot_take_another_users_elevation(
    engine: Engine, database: Database, maintenance: Engine, alice: Person, admin: Person
) -> None:
    with session_of(engine, admin, Role.ADMIN) as session:
        assert visible(session) == set(alice.items)
    (elevation,) = elevations(database, admin)
    with connect(database.maintenance_url) as connection:
        become(connection, alice)
        connection.execute(f"SET app.elevation = '{elevation['id']}'")
        with pytest.raises(psycopg.Error, match="no committed record"):
            connection.execute("UPDATE item SET title = 'x'")


def test_a_read_only_admin_changes_nothing(
    engine: Engine, database: Database, alice: Person, admin: Person
) -> None:
    with (
        session_of(engine, admin, Role.READ_ONLY_ADMIN) as session,
        pytest.raises(DBAPIError, match="read-only transaction"),
    ):
        update_by_text(session, alice.items[0], alice.id)
    assert changes(database, admin) == []
