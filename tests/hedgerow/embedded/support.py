"""Processes that use the embedded server, and questions to it."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hedgerow.embedded import ServerAddress
from hedgerow.embedded.postmaster import command_line
from tests.support.processes import started

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root mounts disks and starts programs as another user"
)
_PATH = [str(Path(__file__).parents[3]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, _PATH))}
_USER = """
import json, os, sys
from pathlib import Path
from hedgerow.embedded import EmbeddedServer
directory, settings, uid = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
if uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
server = EmbeddedServer(Path(directory), settings=settings)
address = server.acquire()
print(json.dumps({"port": address.port, "password": address.password}), flush=True)
sys.stdin.readline()
server.release()
"""


class ServerUser:
    """Another process that acquires the server and keeps it until told to leave."""

    def __init__(self, directory: Path, uid: int) -> None:
        self._stack = ExitStack()
        self.process = self._stack.enter_context(
            started(
                [sys.executable, "-c", _USER, directory, json.dumps(FAST), str(uid)],
                environment=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stderr=None,
            )
        )

    def address(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self._stack.close()


def postmaster_pid(directory: Path) -> int | None:
    """The pid in postmaster.pid, believed only where that process names this very folder."""
    file = directory / "cluster" / "data" / "postmaster.pid"
    first = file.read_text().partition("\n")[0] if file.exists() else ""
    pid = int(first) if first.isdecimal() else 0
    return pid if pid and f"-D {directory}" in command_line(pid) else None


def libpq(address: ServerAddress) -> str:
    """The address as libpq takes it."""
    url = address.url().set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def ask(address: ServerAddress, sql: str) -> Any:
    """One value from the server."""
    with psycopg.connect(libpq(address)) as connection:
        row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]
