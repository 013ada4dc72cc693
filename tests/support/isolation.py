"""What "kept apart" means, in one place: tests assert it, and the negative controls break it.

The template's items and the second application's books are held to the same.
"""

from collections.abc import Callable
from typing import TypeVar

from psycopg import sql
from psycopg.rows import scalar_row
from sqlalchemy import URL

from tests.support import raw
from tests.support.people import Someone
from tests.support.raw import RawConnection, connect

Who = TypeVar("Who", bound=Someone)


def assert_kept_apart(
    url: URL,
    one: Who,
    other: Who,
    *,
    table: str = "item",
    become: Callable[[RawConnection, Who], None] = raw.become,
) -> None:
    """Assert that whoever logs in at `url` sees, changes and deletes as each person only their own.

    `become` makes a connection theirs. Nothing here filters by owner: only PostgreSQL can make it
    true. The table has the columns `id` and `title`.
    """
    update, delete, select = (
        sql.SQL(statement).format(sql.Identifier(table))
        for statement in ("UPDATE {} SET title = 'mine'", "DELETE FROM {}", "SELECT id FROM {}")
    )
    for person, another in ((one, other), (other, one)):
        with connect(url) as connection:
            become(connection, person)
            with connection.cursor(row_factory=scalar_row) as cursor:
                assert set(cursor.execute(select).fetchall()) == set(person.items)
            # No WHERE and no RETURNING: those would have the SELECT policy help.
            for statement in (update, delete):
                assert connection.execute(statement).rowcount == len(person.items)
            hidden = list(another.items)
            for statement in (update, delete):
                theirs = statement + sql.SQL(" WHERE id = ANY(%s)")
                assert connection.execute(theirs, [hidden]).rowcount == 0


def weakenings(table: str) -> list[str]:
    """Return statements after each of which `assert_kept_apart` must fail.

    P16, P37; P29: permissive policies are OR-ed.
    """
    return [
        *(f"DROP POLICY {table}_owner_{command} ON {table}" for command in _COMMANDS),
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        f"CREATE POLICY all_users ON {table} FOR SELECT USING (true)",
        f"ALTER POLICY {table}_owner_delete ON {table} USING (true)",
        f"ALTER POLICY {table}_owner_update ON {table} USING (true) WITH CHECK (true)",
        f"ALTER POLICY {table}_owner_select ON {table} USING (true)",
    ]


_COMMANDS = ("select", "update", "delete")
