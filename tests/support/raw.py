"""SQL as a person types it in psql: on a connection of psycopg's own, without the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row
from sqlalchemy import URL

from tests.support.people import Person

RawConnection = psycopg.Connection[tuple[object, ...]]


@contextmanager
def connect(url: URL) -> Iterator[RawConnection]:
    """Yield a connection to `url`; what is not committed is rolled back at the end."""
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    ) as connection:
        try:
            yield connection
        finally:
            connection.rollback()


def become(connection: RawConnection, person: Person, role: str = "user") -> None:
    """Set the identity for the length of the connection, as one does by hand."""
    connection.execute(f"SET app.user_id = '{person.id}'")
    connection.execute(f"SET app.role = '{role}'")


def visible_items(connection: RawConnection) -> set[UUID]:
    """Return the ids of the items that the connection sees."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute("SELECT id FROM item").fetchall())
