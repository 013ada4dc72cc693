"""Users with items, made by the owner: what every isolation test needs somebody else to have."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import text

from tests.support.databases import Database

NO_PASSWORD: Final = "none"
"""The password hash of people in tests: no password has it."""


class Someone(Protocol):
    """A user of any application: the key, whatever its type, and the keys of their rows."""

    @property
    def id(self) -> object: ...

    @property
    def items(self) -> Collection[object]: ...


@dataclass(frozen=True)
class Person:
    """A user's row, and the ids of their items."""

    id: UUID
    email: str
    items: tuple[UUID, ...]


def remove_all_users(database: Database) -> None:
    """Empty the tables."""
    with database.as_owner() as connection:
        connection.execute(text('DELETE FROM "user"'))


def add_person(
    database: Database, name: str, *, items: int = 2, superuser: bool = False, active: bool = True
) -> Person:
    """Insert a user called `name` with some items; nobody can sign in with the password."""
    person = Person(uuid4(), f"{name}@example.com", tuple(uuid4() for _ in range(items)))
    with database.as_owner() as connection:
        connection.execute(
            text(
                'INSERT INTO "user"'
                " (id, email, hashed_password, is_active, is_superuser, created_at)"
                " VALUES (:id, :email, :hash, :active, :superuser, now())"
            ),
            {
                "id": person.id,
                "email": person.email,
                "hash": NO_PASSWORD,
                "active": active,
                "superuser": superuser,
            },
        )
        for number, item in enumerate(person.items):
            connection.execute(
                text(
                    "INSERT INTO item (id, owner_id, title, created_at)"
                    " VALUES (:id, :owner, :title, now())"
                ),
                {"id": item, "owner": person.id, "title": f"{name}'s item {number}"},
            )
    return person


def owners_of(database: Database, items: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the owner of each item that exists, as the owner of the table sees it."""
    with database.as_owner() as connection:
        rows = connection.execute(
            text("SELECT id, owner_id FROM item WHERE id = ANY(:ids)"), {"ids": list(items)}
        )
        return {row.id: row.owner_id for row in rows}
