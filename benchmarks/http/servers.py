"""The application, served by uvicorn in processes of their own, and the client beside them."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from benchmarks.http.client import Order
from benchmarks.http.data import PASSWORD, Person
from benchmarks.medians import Turn
from benchmarks.server import PROJECT

_START_SECONDS = 60.0
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without it, httpx loads the system's certificates for each request: 15 ms."""
API = "/api/v1"


class ServerError(Exception):
    """A server did not start, or gave a wrong answer; the message says which."""


@dataclass(frozen=True)
class Server:
    """One running application."""

    port: int
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, token: str = "", **body: Any) -> httpx.Response:
        """Send one request, outside of what is timed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"http://127.0.0.1:{self.port}{API}{path}"
        return httpx.request(
            method, address, headers=headers, timeout=60, trust_env=False, verify=_NO_TLS, **body
        )

    def sign_in(self, person: Person) -> str:
        """Return a token of the person's."""
        form = {"username": person.email, "password": PASSWORD}
        answer = self.ask("POST", "/login/access-token", data=form).raise_for_status()
        return str(answer.json()["access_token"])

    def await_answer(self) -> None:
        """Return once the server answers; raises ServerError where it ends, or takes too long."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerError(f"A server ended with {self.process.returncode}; see above.")
            try:
                if self.ask("GET", "/utils/health-check/").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise ServerError(f"A server did not answer within {_START_SECONDS:g} s.")


@contextmanager
def serve(environment: Mapping[str, str], directory: str, core: int | None) -> Iterator[Server]:
    """Yield a server of one worker, on `core` where one is given, whether it answers yet or not."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = ("-m", "uvicorn", "app.main:app", "--app-dir", str(PROJECT))
    options = ("--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--workers", "1")
    with _running(*command, *options, "--port", str(port), cwd=directory, env=environment) as own:
        if core is not None:
            os.sched_setaffinity(own.pid, {core})
        yield Server(port, own)


@dataclass(frozen=True)
class Client:
    """The client's process."""

    process: Any

    def load(self, order: Order) -> Turn:
        """Let it work, and return the times; raises ServerError for an answer other than 200."""
        self.process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise ServerError("The client ended; see above.")
        outcome = json.loads(line)
        if outcome["refused"] or not outcome["milliseconds"]:
            raise ServerError(f"Answers that are not 200 under load: {outcome['refused'] or 'all'}")
        return Turn(outcome["seconds"], outcome["milliseconds"])


@contextmanager
def run_client() -> Iterator[Client]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with _running("-m", "benchmarks.http.client", cwd=str(PROJECT), **pipes) as process:
        yield Client(process)


@contextmanager
def _running(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    # In a session of its own: Ctrl-C in a terminal ends it here, after the clean-up began.
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
