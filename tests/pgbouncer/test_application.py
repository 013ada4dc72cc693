"""The application as `fastapi run` serves it, with its requests going through PgBouncer."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import text

from hedgerow import RowSecurity
from tests.app.api.support import API, signed_in
from tests.pgbouncer.pgbouncer import SERVER_CONNECTIONS, PgBouncer
from tests.support.databases import PROJECT, Database
from tests.support.people import Person
from tests.support.processes import started, wait_until_serving

CLIENTS = 12
ROUNDS = 4


@pytest.fixture(scope="module")
def address(
    pooler: PgBouncer,
    database: Database,
    row_security: RowSecurity,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Yield the address of the application, started as the documentation says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "DATABASE_POOLER_URL": pooler.through(database.owner_url)
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    }
    if row_security.signing is not None:
        settings["RLS_CONTEXT_SECRET"] = row_security.signing.secret
    log = tmp_path_factory.mktemp("application") / "log"
    command = ("-m", "fastapi", "run", "--host", "127.0.0.1", "--port", str(port))
    with (
        log.open("w") as output,
        started(
            [sys.executable, *command],
            folder=PROJECT,
            environment=database.environment(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        wait_until_serving(process, port, log)
        yield f"http://127.0.0.1:{port}{API}"
        process.terminate()
        process.wait(timeout=30)


def visit(address: str, person: Person, items: str) -> None:
    """Be one client who looks, creates and looks again, and sees only what is theirs."""
    own = {str(item) for item in person.items}
    with httpx.Client(base_url=address, headers=signed_in(person), timeout=60) as client:
        for _ in range(ROUNDS):
            created = client.post(items, json={"title": person.email}).raise_for_status().json()
            assert created["owner_id"] == str(person.id)
            read = client.get(f"{items}{created['id']}").raise_for_status().json()
            assert read == created
            rows = client.get(items, params={"limit": 1000}).raise_for_status().json()["data"]
            assert {row["owner_id"] for row in rows} == {str(person.id)}
            assert own | {created["id"]} <= {row["id"] for row in rows}


def ask_for_anothers(address: str, person: Person, other: Person, items: str) -> None:
    with httpx.Client(base_url=address, headers=signed_in(person), timeout=60) as client:
        for item in other.items * ROUNDS:
            assert client.get(f"{items}{item}").status_code == 404


def test_requests_of_two_users_at_the_same_time(
    address: str, database: Database, alice: Person, bob: Person
) -> None:
    """P11: sync and async routes, whose pools are two of PgBouncer's clients."""
    kinds = ("/items/", "/async/items/")
    pairs = ((alice, bob), (bob, alice))
    with ThreadPoolExecutor(CLIENTS) as threads:
        visits = [
            threads.submit(visit, address, pairs[number % 2][0], kinds[number // 2 % 2])
            for number in range(CLIENTS - 4)
        ]
        visits += [
            threads.submit(ask_for_anothers, address, *pair, items)
            for pair in pairs
            for items in kinds
        ]
        for each in visits:
            each.result()
    with database.as_owner() as owner:
        states = owner.scalars(
            text(
                "SELECT state FROM pg_stat_activity"
                " WHERE usename = 'rls_app_user' AND datname = current_database()"
            )
        ).all()
    assert 0 < len(states) <= SERVER_CONNECTIONS
    assert set(states) == {"idle"}
