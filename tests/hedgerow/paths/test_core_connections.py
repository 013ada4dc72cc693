"""A Core connection is its user in every transaction, with no session around it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from app.models import Item
from tests.hedgerow.paths.support import (
    ITEM_IDS,
    connection_of,
)
from tests.support.people import Person

FirstStatement = Callable[[Connection, Person], None]


def by_select(connection: Connection, person: Person) -> None:
    assert set(connection.scalars(ITEM_IDS)) == set(person.items)


def by_text(connection: Connection, person: Person) -> None:
    assert set(connection.scalars(text("SELECT id FROM item"))) == set(person.items)


def by_driver_sql(connection: Connection, person: Person) -> None:
    rows = connection.exec_driver_sql("SELECT id FROM item").scalars()
    assert set(rows) == set(person.items)


def by_server_side_cursor(connection: Connection, person: Person) -> None:
    rows = connection.scalars(ITEM_IDS.execution_options(yield_per=1))
    assert set(rows) == set(person.items)


def by_bulk_insert(connection: Connection, person: Person) -> None:
    rows = [{"id": uuid4(), "owner_id": person.id, "title": str(n)} for n in range(3)]
    connection.execute(insert(Item), rows)
    connection.rollback()


def by_bulk_update(connection: Connection, person: Person) -> None:
    changed = connection.scalars(update(Item).values(title="new").returning(col(Item.id)))
    assert set(changed) == set(person.items)
    connection.rollback()


def by_savepoint(connection: Connection, person: Person) -> None:
    """P14."""
    with connection.begin_nested() as savepoint:
        by_select(connection, person)
        savepoint.rollback()


FIRST_STATEMENTS = (
    by_select, by_text, by_driver_sql, by_server_side_cursor, by_bulk_insert, by_bulk_update,
    by_savepoint,
)  # fmt: skip


@pytest.mark.parametrize("first_statement", FIRST_STATEMENTS)
def test_any_first_statement_carries_the_identity(
    first_statement: FirstStatement, pool: Engine, alice: Person, bob: Person
) -> None:
    """P18."""
    for person in (alice, bob):
        with connection_of(pool, person) as connection:
            first_statement(connection, person)
            by_select(connection, person)


def commit(connection: Connection) -> None:
    connection.commit()


def roll_back(connection: Connection) -> None:
    connection.rollback()


def fail(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        connection.execute(text("SELECT 1/0"))
    connection.rollback()


def fail_in_a_savepoint(connection: Connection) -> None:
    """P14."""
    with pytest.raises(DBAPIError, match="division by zero"), connection.begin_nested():
        connection.execute(text("SELECT 1/0"))


@pytest.mark.parametrize("ending", [commit, roll_back, fail, fail_in_a_savepoint])
def test_whatever_ended_the_connection_stays_its_users(
    ending: Callable[[Connection], None], pool: Engine, alice: Person, bob: Person
) -> None:
    """P13."""
    with connection_of(pool, alice) as connection:
        for first_statement in FIRST_STATEMENTS:
            by_select(connection, alice)
            ending(connection)
            first_statement(connection, alice)
            by_select(connection, alice)
