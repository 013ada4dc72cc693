"""Row security costs no round trip: the same request sends as many flights with it as without.

A flight is what the application sends before it waits for an answer. The numbers are exact, so
that one more shows.
"""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, text

import app.core.db
from app.main import app as application
from tests.app.api.support import API, signed_in
from tests.app.both_modes import database, disabled_database, row_security
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.proxy import Proxy

__all__ = ["database", "disabled_database", "row_security"]

WARM_UP = 12
"""psycopg prepares a statement the sixth time that it sees it."""

BOTH_KINDS = pytest.mark.parametrize("items", ["/items/", "/async/items/"], ids=["sync", "async"])


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    with Proxy(database.owner_url) as proxy:
        yield proxy


@pytest.fixture
def client(
    engine: Engine, proxy: Proxy, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """Yield a client of the application, which reaches its database through the proxy."""
    app.core.db.shutdown()
    monkeypatch.setattr(app.core.db, "application_url", lambda: proxy.through(database.app_url))
    with TestClient(application) as client:
        yield client


def flights_of(
    client: TestClient, proxy: Proxy, person: Person, method: str, address: str, title: str = ""
) -> int:
    """Return how many flights the request takes once everything is warm: the same each time."""
    seen = []
    for number in range(WARM_UP + 3):
        before = proxy.flights
        response = client.request(
            method,
            f"{API}{address}",
            headers=signed_in(person),
            json={"title": f"{title}{number}"} if title else None,
        )
        assert response.status_code == 200
        seen.append(proxy.flights - before)
    (flights,) = set(seen[WARM_UP:])
    return flights


# Each test runs with row security and without it: one number for both says that it costs nothing.


@BOTH_KINDS
def test_reading_one_item(
    client: TestClient, proxy: Proxy, alice: Person, bob: Person, items: str
) -> None:
    """The ping, BEGIN with the identity, the user, the item, ROLLBACK."""
    assert flights_of(client, proxy, alice, "GET", f"{items}{alice.items[0]}") == 5


@BOTH_KINDS
def test_listing_items(
    client: TestClient, proxy: Proxy, alice: Person, bob: Person, items: str
) -> None:
    """As above, with the count of all items."""
    assert flights_of(client, proxy, alice, "GET", items) == 6


@BOTH_KINDS
def test_creating_an_item(
    client: TestClient, proxy: Proxy, alice: Person, bob: Person, items: str
) -> None:
    """The ping, BEGIN with the identity, the user, the insert, COMMIT."""
    assert flights_of(client, proxy, alice, "POST", items, "new") == 5


@BOTH_KINDS
def test_a_superusers_request_becomes_an_admins_with_five_more(
    client: TestClient,
    proxy: Proxy,
    alice: Person,
    admin: Person,
    items: str,
) -> None:
    """Who is a superuser is read in a transaction that ends before the elevation is recorded.

    So COMMIT; ping and statement on the connection that records; ping and BEGIN of the admin's own.
    With row security off it is the same: admins are recorded all the same.
    """
    assert flights_of(client, proxy, admin, "GET", items) == 6 + 5


def test_a_flight_is_counted_for_each_wait(proxy: Proxy, database: Database) -> None:
    """The proxy counts what it should: else the numbers above would mean nothing."""
    engine = create_engine(proxy.through(database.app_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statements in (1, 3):
            before = proxy.flights
            for _ in range(statements):
                connection.execute(text("SELECT 1"))
            assert proxy.flights - before == statements
    engine.dispose()
