"""The two databases, with row security and without: migrated by the real command, the same rows."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import URL, NullPool, create_engine, text

from benchmarks.server import PROJECT, create_database, run, upgrade

ITEMS_EACH = 100
READERS, WRITERS = 8, 2
PASSWORD = "a password of the benchmark"  # noqa: S105
VARIANTS: Mapping[str, bool] = {"without": False, "with": True}
"""By name, whether row security is on. The first is what the other is compared with."""

_SETTINGS = {
    # As deployed: identities are signed, and nothing is there that only development needs.
    "ENVIRONMENT": "production",
    "SECRET_KEY": "a key of the benchmark's own, long enough",
    "RLS_CONTEXT_SECRET": "a secret of the benchmark's own, long enough",
    "RLS_APP_PASSWORD": PASSWORD,
    "RLS_MAINTENANCE_ADMIN_PASSWORD": PASSWORD,
    "FIRST_SUPERUSER_PASSWORD": PASSWORD,
    "FIRST_USER_PASSWORD": PASSWORD,
}
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")

# A user's rows lie scattered over the table, as they do where many users write at the same time.
_FILL = (
    """INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)
    SELECT md5('user ' || n)::uuid, 'user' || n || '@example.com', :hash, true, false, now()
    FROM generate_series(0, :owners + :writers - 1) n""",
    """INSERT INTO item (id, owner_id, title, description, created_at)
    SELECT md5('item ' || n)::uuid, md5('user ' || n % CAST(:owners AS integer))::uuid,
        'Note ' || n, repeat('What it is about. ', 3),
        timestamptz '2026-01-01 00:00Z' + n * interval '1 second'
    FROM generate_series(0, CAST(:owners AS integer) * :each - 1) n""",
)


@dataclass(frozen=True)
class Person:
    """A user who signs in, with the ids of their items, newest first."""

    id: UUID
    email: str
    items: tuple[UUID, ...]


@dataclass(frozen=True)
class Data:
    """Users who read, each with 100 items, and users who only write, so that lists stay as long."""

    rows: int
    urls: Mapping[str, URL]
    readers: tuple[Person, ...]
    writers: tuple[Person, ...]


def environment(variant: str, url: URL) -> dict[str, str]:
    """Return the environment of a command or a server; nothing of a developer's is in it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        **_SETTINGS,
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "RLS_ENABLED": str(VARIANTS[variant]).lower(),
        "PYTHONPATH": str(PROJECT),
    }


def make_data(server: URL, directory: str, rows: int) -> Data:
    """Create a database for each variant; commands run in `directory`, where no `.env` is."""
    owners = max(rows // ITEMS_EACH, READERS)
    first, second = VARIANTS
    urls = {first: create_database(server, first)}
    upgrade(environment(first, urls[first]), directory)
    readers, writers = _fill(urls[first], owners)
    urls[second] = create_database(server, second, template=first)
    upgrade(environment(second, urls[second]), directory)
    for url in urls.values():
        run(url, "VACUUM (ANALYZE, FREEZE)")
    return Data(owners * ITEMS_EACH, urls, readers, writers)


def _fill(url: URL, owners: int) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    hashed = PasswordHash((Argon2Hasher(),)).hash(PASSWORD)
    values = {"owners": owners, "writers": WRITERS, "each": ITEMS_EACH, "hash": hashed}
    with create_engine(url, poolclass=NullPool).begin() as connection:
        # As row security is off in this database, its owner loads the rows as any other table's.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in _FILL:
            connection.execute(text(statement), values)
    # Rows get their ids from their numbers; the higher an item's, the newer it is.
    people = []
    readers = [number * (owners // READERS) for number in range(READERS)]
    for number in (*readers, *range(owners, owners + WRITERS)):
        items = range(number + owners * (ITEMS_EACH - 1), number - 1, -owners)
        own = tuple(_id(f"item {item}") for item in items) if number < owners else ()
        people.append(Person(_id(f"user {number}"), f"user{number}@example.com", own))
    return tuple(people[:READERS]), tuple(people[READERS:])


def _id(name: str) -> UUID:
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())
