"""PgBouncer, in transaction mode where not told otherwise: two connections to the server."""

import os
import pwd
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from sqlalchemy import URL

from tests.support.processes import started

SERVER_CONNECTIONS = 2

_CONFIGURATION = """
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {pool_mode}
default_pool_size = {server_connections}
max_client_conn = 200
"""


def find_executable() -> str:
    """Return PgBouncer's path; where it is not installed, skip the test, or fail it in CI."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    executable = shutil.which("pgbouncer", path=path)
    if executable is None:
        message = "PgBouncer is not installed: apt-get install pgbouncer"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return executable


class PgBouncer:
    """A running PgBouncer in front of `server`, for the role and password of `login`."""

    def __init__(
        self, executable: str, server: URL, login: URL, pool_mode: str = "transaction"
    ) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="hedgerow-pgbouncer-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        users = self._directory / "users.txt"
        users.write_text(f'"{login.username}" "{login.password}"\n')
        configuration = self._directory / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                host=server.host,
                server_port=server.port,
                port=self.port,
                users=users,
                server_connections=SERVER_CONNECTIONS,
                pool_mode=pool_mode,
            )
        )
        self._command = [executable, str(configuration)]
        self._log = self._directory / "log"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = self._stack.enter_context(
                started(self._command, stdout=log, stderr=log, **self._unprivileged())
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return self
        self._stack.close()
        pytest.fail(f"PgBouncer did not start:\n{self._log.read_text()}")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        shutil.rmtree(self._directory)

    def through(self, url: URL) -> URL:
        """Return `url` with PgBouncer in the server's place."""
        return url.set(host="127.0.0.1", port=self.port)

    def _unprivileged(self) -> dict[str, Any]:
        """Return the account to run as where we are root: it refuses to run as root."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        for path in (self._directory, *self._directory.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
