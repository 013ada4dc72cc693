"""The HTTP level of the benchmarks works: right rows. It judges no time.

On its own server: the benchmarks' roles have other passwords than the tests'.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from benchmarks.http.client import Order
from benchmarks.http.data import ITEMS_EACH, READERS, VARIANTS, Data, Person, environment
from benchmarks.http.level import Pace, measure_pace
from benchmarks.http.loads import KINDS, check_answers
from benchmarks.http.servers import Server, ServerError, run_client, serve
from tests.support.databases import Database

ROWS = 1_000
PACE = Pace(connections=(2,), rounds=1, seconds=0.05, latencies_ms=(1.0,))
LOADS = ("list", "get", "create", "mix")


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """Return a tiny run, as it is written to the file."""
    return dict(json.loads(json.dumps(measure_pace(ROWS, PACE))))


def test_every_load_is_measured_in_both_variants(results: dict[str, Any]) -> None:
    found = [(one["kind"], one["load"], one["connections"]) for one in results["measurements"]]
    assert found == [(kind, load, 2) for kind in KINDS for load in LOADS]
    for one in results["measurements"]:
        assert one["variants"].keys() == VARIANTS.keys()
        assert one["latency_ms"] == 1
        assert 0 < one["ratio_low"] <= one["ratio"] <= one["ratio_high"]
        for throughput in one["variants"].values():
            assert throughput["requests"] >= 2
            assert throughput["requests_per_second"] > 0
            assert 0 < throughput["p50_ms"] <= throughput["p99_ms"]


def test_the_rows_of_every_list_were_checked_before_and_after(results: dict[str, Any]) -> None:
    lists = len(VARIANTS) * len(KINDS) * READERS
    assert results["rows"] == ROWS
    assert results["rows_checked"] == 2 * lists * ITEMS_EACH


def test_results_say_where_they_come_from(results: dict[str, Any]) -> None:
    assert results["machine"].keys() >= {"processor", "cores", "load_average"}
    assert results["versions"].keys() >= {"postgresql", "fastapi", "uvicorn", "psycopg"}
    assert results["server_settings"]["fsync"] == "off"
    assert results["pace"]["latencies_ms"] == [1]


ALICE = Person(UUID(int=1), "alice@example.com", tuple(UUID(int=n) for n in range(10, 110)))
BOB = Person(UUID(int=2), "bob@example.com", tuple(UUID(int=n) for n in range(110, 210)))
TOKENS = {person.email: person.email for person in (ALICE, BOB)}
DATA = Data(200, {}, readers=(ALICE, BOB), writers=(ALICE,))


class Answers(Server):
    """A server whose answers are made here: what a database must never say, in one of them."""

    wrong: str = ""

    def ask(self, method: str, path: str, token: str = "", **body: Any) -> httpx.Response:
        person = ALICE if token == ALICE.email else BOB
        other = BOB if person is ALICE else ALICE
        item = path.rsplit("/", 1)[1]
        if method == "POST":
            owner = other if self.wrong == "created for another" else person
            return httpx.Response(200, json={"owner_id": str(owner.id)})
        if item:
            is_own = UUID(item) in person.items or self.wrong == "another's item"
            return httpx.Response(200 if is_own else 404, json={"id": item} if is_own else {})
        items = person.items[1:] if self.wrong == "one is missing" else person.items
        rows = [{"id": str(item), "owner_id": str(person.id)} for item in items]
        if self.wrong == "another's row":
            rows[0]["owner_id"] = str(other.id)
        return httpx.Response(200, json={"data": rows, "count": len(rows)})


def answering(wrong: str) -> Server:
    server = Answers(0, None)  # type: ignore[arg-type]
    object.__setattr__(server, "wrong", wrong)
    return server


def test_right_answers_are_counted() -> None:
    assert check_answers(answering(""), DATA, TOKENS) == len(KINDS) * 2 * ITEMS_EACH


@pytest.mark.parametrize(
    "wrong", ["created for another", "another's item", "one is missing", "another's row"]
)
def test_a_wrong_answer_ends_the_run(wrong: str) -> None:
    with pytest.raises(ServerError, match="A wrong answer"):
        check_answers(answering(wrong), DATA, TOKENS)


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"no")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def test_a_refusal_under_load_ends_the_run(refusing_port: int) -> None:
    with run_client() as client, pytest.raises(ServerError, match="403"):
        client.load(Order(refusing_port, ["GET / HTTP/1.1\r\nHost: x\r\n\r\n"], 2, 0.02))
    assert client.process.returncode is not None


def test_a_server_that_ends_is_told_and_none_is_left(
    empty_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An application whose database was never migrated does not start."""
    with (
        serve(environment("with", empty_database.owner_url), str(tmp_path), None) as server,
        pytest.raises(ServerError, match="A server ended with"),
    ):
        server.await_answer()
    assert server.process.returncode is not None
    assert "rls_app_user" in capfd.readouterr().err
