"""The application, served by uvicorn in processes of their own, and the client beside them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.http.client import Order, Outcome
from benchmarks.http.data import PASSWORD, Person
from benchmarks.machine import PROJECT

_START_SECONDS = 60.0
API = "/api/v1"


class ServerError(Exception):
    """A server did not start, or answered what it should not; the message says what."""


@dataclass(frozen=True)
class Answer:
    status: int
    content: Any


@dataclass(frozen=True)
class Server:
    """One running application."""

    port: int
    process: subprocess.Popen[bytes]

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        form: Mapping[str, str] | None = None,
        content: object = None,
    ) -> Answer:
        """Send one request, outside of what is timed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = urlencode(form).encode() if form else None
        if content is not None:
            body = json.dumps(content).encode()
            headers["Content-Type"] = "application/json"
        address = f"http://127.0.0.1:{self.port}{API}{path}"
        try:
            with urlopen(Request(address, body, headers, method=method), timeout=60) as response:
                return Answer(response.status, json.loads(response.read()))
        except HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()))

    def sign_in(self, person: Person) -> str:
        """Return a token of the person's."""
        form = {"username": person.email, "password": PASSWORD}
        answer = self.ask("POST", "/login/access-token", form=form)
        if answer.status != 200:
            raise ServerError(f"{person.email} cannot sign in: {answer}")
        return str(answer.content["access_token"])


@contextmanager
def serve(environment: Mapping[str, str], directory: str, core: int | None) -> Iterator[Server]:
    """Yield a server of one worker, on `core` where one is given, whether it answers yet or not."""
    port = _free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "app.main:app", "--app-dir", str(PROJECT)),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--no-access-log", "--log-level", "warning"),
        ],
        cwd=directory,
        env=dict(environment),
        start_new_session=True,  # Ctrl-C in a terminal ends it here, after the clean-up began
    )
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        yield Server(port, process)
    finally:
        _stop(process)


def await_answer(server: Server) -> None:
    """Return once the server answers; raises ServerError where it ends, or takes too long."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise ServerError(f"A server ended with {server.process.returncode}; see above.")
        try:
            if server.ask("GET", "/utils/health-check/").status == 200:
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    raise ServerError(f"A server did not answer within {_START_SECONDS:g} s.")


@dataclass(frozen=True)
class Client:
    """The client's process."""

    process: subprocess.Popen[str]
    orders: IO[str]
    outcomes: IO[str]

    def load(self, order: Order) -> Outcome:
        """Let it work, and return what came of it; raises ServerError for an answer but 200."""
        self.orders.write(json.dumps(asdict(order)) + "\n")
        self.orders.flush()
        line = self.outcomes.readline()
        if not line:
            raise ServerError("The client ended; see above.")
        outcome = Outcome(**json.loads(line))
        if outcome.refused or not outcome.milliseconds:
            raise ServerError(f"Answers that are not 200 under load: {outcome.refused or 'all'}")
        return outcome


@contextmanager
def run_client() -> Iterator[Client]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http.client"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with process.stdin as orders, process.stdout as outcomes:
            yield Client(process, orders, outcomes)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
