"""What tests of the API share: who asks, what they are told, and what the tables hold."""

from functools import cache
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from app.core.security import create_access_token, get_password_hash
from tests.support.databases import Database
from tests.support.people import NO_PASSWORD, Person

API = "/api/v1"


def signed_in(person: Person, password: str | None = None) -> dict[str, str]:
    """Return the headers of a request of this person's, whom `give_password` gave the password."""
    hashed_password = NO_PASSWORD if password is None else _hash(password)
    return bearer(create_access_token(person.id, hashed_password))


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a request with this token."""
    return {"Authorization": f"Bearer {token}"}


def sign_in(client: TestClient, email: str, password: str) -> Response:
    """Ask for an access token."""
    form = {"username": email, "password": password}
    return client.post(f"{API}/login/access-token", data=form)


def give_password(database: Database, person: Person, password: str) -> None:
    """Let the person sign in with this password."""
    store_hash(database, person, _hash(password))


@cache  # Argon2 takes its time by design
def _hash(password: str) -> str:
    return get_password_hash(password)


def store_hash(database: Database, person: Person, hashed_password: str) -> None:
    """Write the person's password hash, as the owner of the table."""
    with database.as_owner() as connection:
        connection.execute(
            text('UPDATE "user" SET hashed_password = :hash WHERE id = :id'),
            {"hash": hashed_password, "id": person.id},
        )


def stored(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return every row of both tables, as their owner sees them."""
    with database.as_owner() as connection:
        return {
            table: [
                dict(row)
                for row in connection.execute(
                    text(f'SELECT * FROM "{table}" ORDER BY id')
                ).mappings()
            ]
            for table in ("user", "item")
        }


def stored_item(database: Database, item: UUID | str) -> dict[str, Any]:
    """Return the row of one item, as the owner of the table sees it."""
    (row,) = (row for row in stored(database)["item"] if str(row["id"]) == str(item))
    return row


def ids(response: Response) -> list[str]:
    """Return the ids of a list's rows, in its order."""
    return [row["id"] for row in response.json()["data"]]
