"""What PostgreSQL itself allows the application role, asked in raw SQL."""

from uuid import uuid4

import pytest
from psycopg import errors
from sqlalchemy import text

from tests.support.databases import Database
from tests.support.isolation import assert_kept_apart
from tests.support.people import Person, owners_of
from tests.support.raw import RawConnection, become, connect, visible_items

INSERT = "INSERT INTO item (id, owner_id, title, created_at) VALUES (%s, %s, 'new', now())"


def test_each_user_sees_changes_and_deletes_only_their_own(
    database: Database, alice: Person, bob: Person
) -> None:
    assert_kept_apart(database.app_url, alice, bob)


def test_by_hand_a_user_sees_only_their_items(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    become(connection, alice)
    assert visible_items(connection) == set(alice.items)
    become(connection, bob)
    assert visible_items(connection) == set(bob.items)


def test_a_user_without_items_sees_none(
    connection: RawConnection, alice: Person, admin: Person
) -> None:
    become(connection, admin)
    assert visible_items(connection) == set()


def test_update_without_where_leaves_other_rows_as_they_were(
    connection: RawConnection, database: Database, alice: Person, bob: Person
) -> None:
    become(connection, alice)
    connection.execute("UPDATE item SET title = 'taken'")
    connection.execute("DELETE FROM item WHERE id = %s", [alice.items[0]])
    connection.commit()
    with database.as_owner() as owner:
        rows = owner.execute(text("SELECT owner_id, title FROM item")).all()
    assert [row.title for row in rows if row.owner_id == alice.id] == ["taken"]
    assert sorted(row.title for row in rows if row.owner_id == bob.id) == [
        "bob's item 0",
        "bob's item 1",
    ]


def test_insert_with_ones_own_owner(connection: RawConnection, alice: Person) -> None:
    become(connection, alice)
    item = uuid4()
    connection.execute(INSERT, [item, alice.id])
    assert visible_items(connection) == {*alice.items, item}


def test_insert_with_another_owner_is_refused(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    become(connection, alice)
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security policy"):
        connection.execute(INSERT, [uuid4(), bob.id])


def test_a_row_cannot_be_given_away(
    connection: RawConnection, database: Database, alice: Person, bob: Person
) -> None:
    """P30."""
    become(connection, alice)
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security policy"):
        connection.execute("UPDATE item SET owner_id = %s", [bob.id])
    connection.rollback()
    assert set(owners_of(database, alice.items).values()) == {alice.id}


@pytest.mark.parametrize(
    "statement",
    ["UPDATE item SET title = 'mine' WHERE id = %s", "DELETE FROM item WHERE id = %s"],
)
def test_a_hidden_row_is_no_row_and_no_error(
    statement: str, connection: RawConnection, alice: Person, bob: Person
) -> None:
    """P25."""
    become(connection, alice)
    assert connection.execute(statement, [bob.items[0]]).rowcount == 0


def test_for_update_locks_ones_own_rows_only(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    """P25."""
    become(connection, alice)
    locked = connection.execute("SELECT id FROM item FOR UPDATE").fetchall()
    assert {item for (item,) in locked} == set(alice.items)


def test_insert_returning_gives_the_row_back(connection: RawConnection, alice: Person) -> None:
    """P23."""
    become(connection, alice)
    item = uuid4()
    rows = connection.execute(f"{INSERT} RETURNING id, owner_id", [item, alice.id]).fetchall()
    assert rows == [(item, alice.id)]


def test_insert_returning_needs_the_select_policy_as_well(
    fresh_database: Database, alice: Person
) -> None:
    """P23: without RETURNING the same row goes in."""
    with fresh_database.as_owner() as owner:
        owner.execute(
            text(
                'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser,'
                " created_at) VALUES (:id, 'a@example.com', 'none', true, false, now())"
            ),
            {"id": alice.id},
        )
        owner.execute(text("DROP POLICY item_owner_select ON item"))
    with connect(fresh_database.app_url) as blind:
        become(blind, alice)
        blind.execute(INSERT, [uuid4(), alice.id])
        with pytest.raises(errors.InsufficientPrivilege):
            blind.execute(f"{INSERT} RETURNING id", [uuid4(), alice.id])


def test_on_conflict_with_a_hidden_row(
    connection: RawConnection, alice: Person, bob: Person
) -> None:
    """P26: DO NOTHING is silent, DO UPDATE raises; neither changes the hidden row."""
    become(connection, alice)
    hidden = bob.items[0]
    silent = connection.execute(f"{INSERT} ON CONFLICT (id) DO NOTHING", [hidden, alice.id])
    assert silent.rowcount == 0
    with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
        connection.execute(
            f"{INSERT} ON CONFLICT (id) DO UPDATE SET owner_id = excluded.owner_id",
            [hidden, alice.id],
        )
    assert visible_items(connection) == set(alice.items)


def test_a_deleted_users_rows_go_with_them(
    connection: RawConnection, database: Database, alice: Person, bob: Person
) -> None:
    """P33, P52: a cascade asks no policy; that of the account it begins with does."""
    become(connection, alice)
    deleted = connection.execute('DELETE FROM "user"')
    connection.commit()
    assert deleted.rowcount == 1
    assert set(owners_of(database, alice.items + bob.items)) == set(bob.items)
