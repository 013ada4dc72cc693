"""What PostgreSQL itself allows the application role, asked in raw SQL."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import text

from tests.support.databases import Database
from tests.support.people import Person, owners_of


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    url = database.app_url
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    ) as connection:
        yield connection


def become(connection: psycopg.Connection, person: Person) -> None:
    connection.execute(f"SET app.user_id = '{person.id}'")
    connection.execute("SET app.role = 'user'")


def visible(connection: psycopg.Connection) -> set[UUID]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute("SELECT id FROM item").fetchall())


def test_by_hand_a_user_sees_only_their_items(
    connection: psycopg.Connection, alice: Person, bob: Person
) -> None:
    become(connection, alice)
    assert visible(connection) == set(alice.items)
    become(connection, bob)
    assert visible(connection) == set(bob.items)
