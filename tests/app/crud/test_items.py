"""What is done with items: for their owner only, and for an admin with all."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

import hedgerow
from app import crud
from app.core.rls import AdminContext
from app.models import Item, ItemCreate, ItemUpdate
from hedgerow import Identity, Role, RowSecurity
from tests.app.api.support import stored, stored_item
from tests.support.databases import Database
from tests.support.people import Person


def test_an_owner_creates_lists_reads_changes_and_deletes(session: Session, alice: Person) -> None:
    item_data = ItemCreate(title="Hazel", description="by the gate")
    item = crud.create_item(session=session, item_in=item_data, owner_id=alice.id)
    assert (item.title, item.description, item.owner_id) == ("Hazel", "by the gate", alice.id)
    assert {row.id for row in crud.get_items(session=session, owner_id=alice.id)} == {
        *alice.items,
        item.id,
    }
    assert crud.count_items(session=session, owner_id=alice.id) == 3
    assert crud.get_item(session=session, item_id=item.id, owner_id=alice.id) is item
    changed = crud.update_item(
        session=session, db_item=item, item_in=ItemUpdate(title="Oak"), owner_id=alice.id
    )
    assert changed is item
    assert (item.title, item.description) == ("Oak", "by the gate")
    assert crud.delete_item(session=session, item_id=item.id, owner_id=alice.id) is True
    assert crud.get_item(session=session, item_id=item.id, owner_id=alice.id) is None


def test_anothers_items_are_none(session: Session, alice: Person, bob: Person) -> None:
    """Also where row security is off: there crud alone stands between two users."""
    assert crud.get_item(session=session, item_id=bob.items[0], owner_id=alice.id) is None
    assert {row.id for row in crud.get_items(session=session, owner_id=alice.id)} == {*alice.items}
    assert crud.count_items(session=session, owner_id=alice.id) == 2


def test_anothers_item_is_not_deleted(
    session: Session, database: Database, alice: Person, bob: Person
) -> None:
    before = stored(database)
    assert crud.delete_item(session=session, item_id=bob.items[0], owner_id=alice.id) is False
    assert stored(database) == before


def test_an_item_is_not_changed_for_another_owner(
    session: Session, database: Database, alice: Person, bob: Person
) -> None:
    item = crud.get_item(session=session, item_id=alice.items[0], owner_id=alice.id)
    assert item is not None
    before = stored(database)
    changed = crud.update_item(
        session=session, db_item=item, item_in=ItemUpdate(title="Mine"), owner_id=bob.id
    )
    assert changed is None
    session.commit()
    assert stored(database) == before


def test_an_item_that_was_deleted_meanwhile_is_none(
    session: Session, database: Database, alice: Person
) -> None:
    """P25: an UPDATE that meets no row is not an error of PostgreSQL's."""
    item = crud.get_item(session=session, item_id=alice.items[0], owner_id=alice.id)
    assert item is not None
    session.commit()
    with database.as_owner() as connection:
        connection.execute(text("DELETE FROM item WHERE id = :id"), {"id": item.id})
    change = ItemUpdate(title="Too late")
    assert (
        crud.update_item(session=session, db_item=item, item_in=change, owner_id=alice.id) is None
    )
    assert crud.delete_item(session=session, item_id=alice.items[0], owner_id=alice.id) is False
    assert crud.count_items(session=session, owner_id=alice.id) == 1


def test_pages_are_newest_first(session: Session, alice: Person) -> None:
    created = [
        crud.create_item(session=session, item_in=ItemCreate(title=f"{n}"), owner_id=alice.id).id
        for n in range(3)
    ]
    newest_first = [*reversed(created)]
    items = crud.get_items(session=session, owner_id=alice.id)
    assert [item.id for item in items[:3]] == newest_first
    page = crud.get_items(session=session, owner_id=alice.id, skip=1, limit=2)
    assert [item.id for item in page] == newest_first[1:]


@pytest.fixture
def admin_session(session: Session, row_security: RowSecurity, alice: Person) -> Session:
    """Return a session that was bound again, as an admin's."""
    hedgerow.bind(session, Identity(alice.id, Role.ADMIN), row_security)
    return session


def test_an_admin_reaches_all_users_items(
    admin_session: Session, database: Database, alice: Person, bob: Person
) -> None:
    session = admin_session
    assert {item.id for item in crud.get_items_admin(session=session)} == {
        *alice.items,
        *bob.items,
    }
    assert crud.count_items_admin(session=session) == 4
    item = crud.get_item_admin(session=session, item_id=bob.items[0])
    assert item is not None
    change = ItemUpdate(title="Fixed")
    assert crud.update_item_admin(session=session, db_item=item, item_in=change) is item
    assert stored_item(database, item.id)["title"] == "Fixed"
    assert crud.delete_item_admin(session=session, item_id=item.id) is True
    assert crud.delete_item_admin(session=session, item_id=item.id) is False
    assert crud.get_item_admin(session=session, item_id=item.id) is None


def test_an_item_for_nobody_is_refused_and_the_session_goes_on(
    admin_session: Session, database: Database
) -> None:
    before = stored(database)
    with pytest.raises(crud.UserNotFoundError):
        crud.create_item(session=admin_session, item_in=ItemCreate(title="Lost"), owner_id=uuid4())
    assert stored(database) == before
    assert crud.count_items_admin(session=admin_session) == 2


def test_an_admin_block_lifts_a_users_session_and_puts_it_back(
    session: Session, row_security: RowSecurity, alice: Person, bob: Person
) -> None:
    everybody = {*alice.items, *bob.items}
    with AdminContext.create_full_admin(alice.id, session):
        assert {item.id for item in session.exec(select(Item)).all()} == everybody
    with AdminContext.create_read_only_admin(alice.id, session):
        assert {item.id for item in session.exec(select(Item)).all()} == everybody
    after = {item.id for item in session.exec(select(Item)).all()}
    assert after == (set(alice.items) if row_security.enabled else everybody)
