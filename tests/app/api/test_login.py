"""Signing in, and what a token is worth."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from app.core.config import settings
from app.core.security import create_access_token, create_password_reset_token
from tests.app.api.support import (
    API,
    bearer,
    give_password,
    sign_in,
    signed_in,
    store_hash,
    stored,
)
from tests.support.databases import Database
from tests.support.people import NO_PASSWORD, Person, add_person

PASSWORD = "a quiet hedge"
TEST_TOKEN = f"{API}/login/test-token"


@pytest.mark.parametrize("spelling", ["alice@example.com", "Alice@EXAMPLE.com"])
def test_the_right_password_gives_a_token_that_signs_in(
    client: TestClient, database: Database, alice: Person, spelling: str
) -> None:
    give_password(database, alice, PASSWORD)
    response = sign_in(client, spelling, PASSWORD)
    assert response.status_code == 200
    token = response.json()
    assert token.keys() == {"access_token", "token_type"}
    assert token["token_type"] == "bearer"
    tested = client.post(TEST_TOKEN, headers=bearer(token["access_token"]))
    assert tested.status_code == 200
    assert tested.json()["id"] == str(alice.id)


@pytest.fixture
def verifications() -> Iterator[list[str]]:
    """Collect the passwords that Argon2 was asked to verify: that is what takes time."""
    asked = []
    verify = Argon2Hasher.verify

    def record(self: Argon2Hasher, password: str, hash: str) -> bool:
        asked.append(password)
        return verify(self, password, hash)

    with patch.object(Argon2Hasher, "verify", record):
        yield asked


@pytest.mark.parametrize(
    "email", ["alice@example.com", "nobody@example.com", "no address", "a\x00@example.com"]
)
def test_a_refusal_tells_not_whether_the_account_exists(
    client: TestClient, database: Database, alice: Person, verifications: list[str], email: str
) -> None:
    give_password(database, alice, PASSWORD)
    response = sign_in(client, email, "not this one")
    assert response.status_code == 400
    assert response.json() == {"detail": "Incorrect email or password"}
    assert verifications == ["not this one"]


def test_an_inactive_account_cannot_sign_in(
    client: TestClient, database: Database, alice: Person
) -> None:
    idle = add_person(database, "idle", active=False)
    give_password(database, idle, PASSWORD)
    response = sign_in(client, idle.email, PASSWORD)
    assert response.status_code == 400
    assert response.json() == {"detail": "Inactive user"}
    # Only who knows the password is told.
    wrong = sign_in(client, idle.email, "not this one")
    assert wrong.json() == {"detail": "Incorrect email or password"}


def test_an_older_hash_is_replaced_by_argon2_at_sign_in(
    client: TestClient, database: Database, alice: Person
) -> None:
    store_hash(database, alice, BcryptHasher(rounds=4).hash(PASSWORD))
    assert sign_in(client, alice.email, PASSWORD).status_code == 200
    (row,) = stored(database)["user"]
    assert row["hashed_password"].startswith("$argon2id$")
    assert sign_in(client, alice.email, PASSWORD).status_code == 200


def test_an_older_hash_does_not_come_back_over_a_new_password(
    client: TestClient, database: Database, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password changes while the old one is verified."""
    give_password(database, alice, "a loud hedge")  # hashed here: below, the place is taken
    store_hash(database, alice, BcryptHasher(rounds=4).hash(PASSWORD))
    verify = BcryptHasher.verify

    def change_meanwhile(self: BcryptHasher, password: str, hash: str) -> bool:
        give_password(database, alice, "a loud hedge")
        return verify(self, password, hash)

    monkeypatch.setattr(BcryptHasher, "verify", change_meanwhile)
    assert sign_in(client, alice.email, PASSWORD).status_code == 400
    assert sign_in(client, alice.email, "a loud hedge").status_code == 200


@pytest.mark.parametrize("path", ["/items/", "/async/items/"])
def test_a_token_ends_with_the_password_it_was_made_under(
    client: TestClient, database: Database, alice: Person, path: str
) -> None:
    give_password(database, alice, PASSWORD)
    token = sign_in(client, alice.email, PASSWORD).json()["access_token"]
    assert client.get(f"{API}{path}", headers=bearer(token)).status_code == 200
    give_password(database, alice, "a loud hedge")
    response = client.get(f"{API}{path}", headers=bearer(token))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


def test_no_token_is_401(client: TestClient) -> None:
    response = client.post(TEST_TOKEN)
    assert response.status_code == 401
    assert response.json() == {"detail": "Not authenticated"}


def test_an_expired_token_is_403(
    client: TestClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ACCESS_TOKEN_EXPIRE_MINUTES", -1)
    response = client.post(TEST_TOKEN, headers=signed_in(alice))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


def test_a_reset_token_is_no_access_token(client: TestClient, alice: Person) -> None:
    reset = create_password_reset_token(alice.id, NO_PASSWORD, alice.email)
    response = client.get(f"{API}/items/", headers=bearer(reset))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


@pytest.mark.parametrize(
    "damaged",
    [
        "{header}.{payload}.{signature}x",
        "{header}.{payload}.",
        "{header}.{payload}",
        "{payload}.{signature}",
        "{header}{payload}{signature}",
        "W10.{payload}.{signature}",
        "{nested}.{payload}.{signature}",
        "{surrogate}.{payload}.{signature}",
        "x",
        "...",
    ],
)
def test_a_malformed_token_is_403(client: TestClient, alice: Person, damaged: str) -> None:
    token = create_access_token(alice.id, NO_PASSWORD)
    header, payload, signature = token.split(".")
    damaged = damaged.format(
        header=header,
        payload=payload,
        signature=signature,
        nested=encoded(b"[" * 39_999),
        surrogate=encoded(rb'{"alg": "\ud800"}'),
    )
    response = client.get(f"{API}/users/me", headers=bearer(damaged))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


@pytest.mark.parametrize("subject", ["", "1", "alice@example.com", "\x00", "{}"])
def test_a_token_whose_subject_is_no_id_is_403(client: TestClient, subject: str) -> None:
    token = create_access_token(subject, NO_PASSWORD)
    response = client.get(f"{API}/items/", headers=bearer(token))
    assert response.status_code == 403
    assert response.json() == {"detail": "Could not validate credentials"}


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_another_scheme_of_authorization_is_401(
    client: TestClient, alice: Person, scheme: str
) -> None:
    token = signed_in(alice)["Authorization"].removeprefix("Bearer ")
    response = client.get(f"{API}/users/me", headers={"Authorization": f"{scheme} {token}"})
    assert response.status_code == 401
