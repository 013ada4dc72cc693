"""Hashing passwords takes no connection, and not every place, from other requests."""

import threading
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core import hashing
from app.core.db import get_async_engine, get_engine
from app.core.hashing import PLACES, QUEUE, HashingBusyError, in_place
from tests.app.api.support import API, give_password, sign_in, signed_in
from tests.app.conftest import checked_out
from tests.support.databases import Database
from tests.support.people import Person

PASSWORD, NEW = "a quiet hedge", "a loud hedge"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect how many connections are in use, and that it is a place, whenever one is hashed."""
    seen: list[int] = []

    def look() -> None:
        assert threading.current_thread().name.startswith("hashing")
        engines = [get_engine()]
        if get_async_engine.cache_info().currsize:
            engines.append(get_async_engine().sync_engine)
        seen.append(sum(map(checked_out, engines)))

    hash_, verify = Argon2Hasher.hash, Argon2Hasher.verify

    def hash_and_look(self: Argon2Hasher, password: str, **options: bytes | None) -> str:
        look()
        return hash_(self, password, **options)

    def verify_and_look(self: Argon2Hasher, password: str, hash: str) -> bool:
        look()
        return verify(self, password, hash)

    monkeypatch.setattr(Argon2Hasher, "hash", hash_and_look)
    monkeypatch.setattr(Argon2Hasher, "verify", verify_and_look)
    return seen


def test_no_connection_is_held_while_a_password_is_hashed(
    client: TestClient, database: Database, alice: Person, admin: Person, held: list[int]
) -> None:
    give_password(database, alice, PASSWORD)
    as_admin, new = signed_in(admin), {"email": "eve@example.com", "password": PASSWORD}
    del held[:]
    mine = signed_in(alice, PASSWORD)
    change = {"current_password": PASSWORD, "new_password": NEW}
    for answer in (
        sign_in(client, alice.email, PASSWORD),
        client.patch(
            f"{API}/users/me",
            headers=mine,
            json={"email": alice.email.replace("e", "i"), "current_password": PASSWORD},
        ),
        client.patch(f"{API}/users/me/password", headers=mine, json=change),
        client.post(f"{API}/users/signup", json={**new, "email": "carol@example.com"}),
        client.post(f"{API}/users/", headers=as_admin, json=new),
        client.patch(f"{API}/users/{alice.id}", headers=as_admin, json={"password": PASSWORD}),
    ):
        assert answer.status_code == 200
    assert held == [0] * 7  # the change of a password verifies one and hashes another


@pytest.fixture
def full() -> Iterator[threading.Event]:
    """Yield while every place is taken, and the queue is full, until the event is set."""
    let_go, working = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        working.release()
        let_go.wait(60)

    crowd = [
        threading.Thread(target=in_place, args=(work,), daemon=True) for _ in range(PLACES + QUEUE)
    ]
    for one in crowd:
        one.start()
    for _ in range(PLACES):
        working.acquire()
    while hashing._room.acquire(blocking=False):  # until all have come
        hashing._room.release()
    yield let_go
    let_go.set()
    for one in crowd:
        one.join()


def test_who_guesses_takes_nothing_from_others_and_the_queue_has_an_end(
    client: TestClient, database: Database, alice: Person, full: threading.Event
) -> None:
    """More than there are threads, or connections, want a password hashed."""
    answer = sign_in(client, alice.email, PASSWORD)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    for path in ("/items/", "/async/items/"):
        assert client.get(f"{API}{path}", headers=signed_in(alice)).status_code == 200
    with pytest.raises(HashingBusyError):  # a synchronous route, or a script
        in_place(lambda: "hashed")
