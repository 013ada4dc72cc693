"""SQL as a person types it in psql: on a connection of psycopg's own, without the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row
from sqlalchemy import URL

from tests.support.elevation import record_elevation
from tests.support.people import Someone

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


def become(connection: RawConnection, person: Someone, role: str = "user") -> None:
    """Set the identity for the length of the connection, as one does by hand.

    An admin's elevation is recorded first, or it would be none.
    """
    connection.execute(f"SET app.user_id = '{person.id}'")
    connection.execute(f"SET app.role = '{role}'")
    if role != "user":
        settings = {"app.user_id": str(person.id), "app.role": role}
        connection.execute(f"SET app.elevation = '{record_elevation(connection, settings)}'")


def visible_items(connection: RawConnection) -> set[UUID]:
    """Return the ids of the items that the connection sees."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute("SELECT id FROM item").fetchall())
