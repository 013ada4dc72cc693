"""What "kept apart" means, in one place: tests assert it, and the negative controls break it."""

from sqlalchemy import URL

from tests.support.people import Person
from tests.support.raw import become, connect, visible_items


def assert_kept_apart(url: URL, one: Person, other: Person) -> None:
    """Assert that whoever logs in at `url` sees, changes and deletes as each person only their own.

    Nothing here filters by owner: only PostgreSQL can make it true.
    """
    for person, stranger in ((one, other), (other, one)):
        with connect(url) as connection:
            become(connection, person)
            assert visible_items(connection) == set(person.items)
            # No WHERE and no RETURNING: those would have the SELECT policy help.
            changed = connection.execute("UPDATE item SET title = 'mine'")
            assert changed.rowcount == len(person.items)
            deleted = connection.execute("DELETE FROM item")
            assert deleted.rowcount == len(person.items)
            hidden = list(stranger.items)
            for statement in (
                "UPDATE item SET title = 'mine' WHERE id = ANY(%s)",
                "DELETE FROM item WHERE id = ANY(%s)",
            ):
                assert connection.execute(statement, [hidden]).rowcount == 0
