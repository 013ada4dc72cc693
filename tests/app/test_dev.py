"""`scripts/dev` as a person runs it: in a folder of its own, whose path holds a space."""

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from app.core.strength import DEFAULT_SECRET
from tests.support.databases import PROJECT, clean_environment
from tests.support.processes import run_command, started, wait_until_serving


@pytest.fixture
def project() -> Iterator[Path]:
    """Yield a copy of what the application is made of, with no data of its own yet."""
    parent = Path(tempfile.mkdtemp(prefix="hedgerow-dev-"))
    parent.chmod(0o755)
    project = parent / "my project"
    project.mkdir()
    for name in ("app", "hedgerow"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "alembic.ini", project)
    yield project
    shutil.rmtree(parent)


class Running:
    """A `scripts/dev` that serves."""

    def __init__(self, project: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.log = project / "dev.log"
        with ExitStack() as stack, self.log.open("w") as log:
            self.process = stack.enter_context(
                started(
                    [sys.executable, "-m", "app.dev", "--port", str(port), "--no-reload"],
                    folder=project,
                    environment=clean_environment(PYTHONDONTWRITEBYTECODE="1", **settings),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
            wait_until_serving(self.process, port, self.log)
            self._stack = stack.pop_all()

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        with self._stack:
            self.process.send_signal(number)
            self.process.wait(timeout=30)

    def sign_in(self, email: str) -> httpx.Client:
        answer = httpx.post(
            f"{self.address}/api/v1/login/access-token",
            data={"username": email, "password": "changethis"},
        )
        token = answer.json()["access_token"]
        return httpx.Client(
            base_url=f"{self.address}/api/v1", headers={"Authorization": f"Bearer {token}"}
        )


def titles(client: httpx.Client) -> list[str]:
    return [item["title"] for item in client.get("/items/").json()["data"]]


def refusal_to_log_in(project: Path, role: str) -> str:
    """Return what the embedded server says to this role with the password that everybody knows."""
    port = int((project / ".hedgerow" / "postgres" / "port").read_text())
    with pytest.raises(psycopg.OperationalError) as refusal:
        psycopg.connect(
            host="127.0.0.1", port=port, user=role, password=DEFAULT_SECRET, dbname="app"
        )
    return str(refusal.value)


def test_two_people_sign_in_and_their_data_is_there_the_next_time(project: Path) -> None:
    running = Running(project)
    try:
        said = running.log.read_text()
        for part in (running.address, f"{running.address}/docs", "user@example.com / changethis"):
            assert part in said
        assert "admin@example.com / changethis" in said
        with running.sign_in("user@example.com") as user:
            assert len(titles(user)) == 3
            user.post("/items/", json={"title": "Lay the hedge"}).raise_for_status()
        with running.sign_in("admin@example.com") as admin:
            assert len(titles(admin)) == 7
        httpx.post(f"{running.address}/api/v1/password-recovery/user@example.com")
        for role in ("rls_app_user", "rls_maintenance_admin"):
            assert "password authentication failed" in refusal_to_log_in(project, role)
    finally:
        running.stop()
    assert not list(project.glob(".hedgerow/**/postmaster.pid")), "PostgreSQL was left running"
    with pytest.raises(httpx.TransportError):
        httpx.get(running.address)
    logged = running.log.read_text().removeprefix(said)
    assert "reset-password?token=" in logged
    assert "/password-recovery/(address)" in logged
    assert "example.com" not in logged

    running = Running(project)
    try:
        with running.sign_in("user@example.com") as user:
            assert titles(user)[0] == "Lay the hedge"
            assert len(titles(user)) == 4, "the samples were added once more"
    finally:
        running.stop(signal.SIGTERM)
    assert not list(project.glob(".hedgerow/**/postmaster.pid")), "PostgreSQL was left running"


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({"DATABASE_URL": "postgresql://x:y@127.0.0.1:1/z"}, "Check that the server runs there"),
        ({"RLS_CONTEXT_SECRET": "short"}, "RLS_CONTEXT_SECRET"),
    ],
    ids=["unreachable", "short-secret"],
)
def test_what_is_wrong_is_said_with_its_fix(
    project: Path, settings: dict[str, str], fix: str
) -> None:
    result = run_command(
        [sys.executable, "-m", "app.dev"],
        folder=project,
        environment=clean_environment(**settings),
    )
    assert result.returncode == 1
    assert fix in result.stderr
    assert not (project / ".hedgerow").exists()


def test_a_data_folder_that_cannot_be_written_is_one_line(project: Path) -> None:
    (project / ".hedgerow").write_text("a file, where the folder should be")
    result = run_command(
        [sys.executable, "-m", "app.dev"],
        folder=project,
        environment=clean_environment(),
    )
    assert result.returncode == 1
    assert str(project / ".hedgerow") in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert (project / ".hedgerow").is_file()


def test_an_address_where_nothing_can_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run_command(
            [sys.executable, "-m", "app.dev", "--port", port], environment=clean_environment()
        )
    assert (result.returncode, result.stdout) == (1, "")
    assert f"Nothing can listen on 127.0.0.1:{port}" in result.stderr
