"""One PostgreSQL for all processes of a project, started by the first and stopped by the last."""

from __future__ import annotations

import base64
import hmac
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from hedgerow.embedded.cluster import (
    HOST,
    SUPERUSER,
    Cluster,
    check_version,
    find_cluster,
    initialise,
    new_password,
    read_password,
)
from hedgerow.embedded.errors import EmbeddedServerError, explaining
from hedgerow.embedded.lifecycle import Start, join, start, stop
from hedgerow.embedded.locks import FileLock, lock_exclusively
from hedgerow.embedded.postmaster import find_postmaster

# Longer than any start or stop takes by itself.
_GUARD_SECONDS = 240.0
# The supervisor finds its server by these; the caller's settings cannot move them.
_OURS = frozenset(
    {
        "config_file",
        "data_directory",
        "external_pid_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "port",
        "unix_socket_directories",
    }
)


@dataclass(frozen=True)
class ServerAddress:
    """A running embedded server: everything needed to connect as its superuser.

    `repr` leaves out the password, so that an address may be logged.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    data_dir: Path

    def url(self, database: str = "postgres") -> URL:
        """Return SQLAlchemy's address of `database`; it holds the password."""
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            database=database,
        )

    def password_of(self, role: str) -> str:
        """Return a password to give to another role: random, and the same each time.

        It is derived from the superuser's password and does not reveal it. So every process that
        may read the server's password file knows it, and it is stored nowhere else.
        """
        derived = hmac.digest(self.password.encode(), f"password of {role}".encode(), "sha256")
        return base64.urlsafe_b64encode(derived).decode().rstrip("=")


@dataclass(frozen=True)
class _Use:
    membership: FileLock
    cluster: Cluster
    password: str


class EmbeddedServer:
    """The embedded PostgreSQL whose files lie under `directory`.

    `settings` are PostgreSQL's own, given to the server as it starts (`fsync` and the like). A
    process that joins a running server takes it as it is: its settings are not looked at.

    Every process that uses the server acquires it. A shared lock counts the users, so one that is
    killed does not count any longer. A forked child
    does not count until it acquires for itself.

    Raises `EmbeddedServerError` where a setting is one that the supervisor needs for itself.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        # Resolved once: the working directory may change before `release`.
        self._directory = Path(directory).resolve()
        self._settings = dict(settings or {})
        refused = sorted(_OURS & {name.lower() for name in self._settings})
        if refused:
            raise EmbeddedServerError(
                f"The embedded PostgreSQL chooses {', '.join(refused)} itself: "
                f"remove that from its settings."
            )
        self._use: _Use | None = None
        self._password_file = self._directory / "password"

    def acquire(self) -> ServerAddress:
        """Become a user of the server, starting it where it does not run, and say where it is.

        The first call for a directory makes the data. A second call on the same object changes
        nothing, except that a server which crashed meanwhile is started again. Raises
        `EmbeddedServerError`; then, and after an interrupt, nothing that this call started is
        left.
        """
        if sys.platform == "win32":
            raise EmbeddedServerError(
                "The embedded PostgreSQL runs on Linux and macOS only: "
                "use a PostgreSQL of your own."
            )
        with explaining(self._directory):
            self._directory.mkdir(parents=True, exist_ok=True)
            with lock_exclusively(self._directory / "guard.lock", _GUARD_SECONDS):
                if self._use is not None and self._use.membership.is_current:
                    membership = self._use.membership
                else:
                    self._use = None
                    membership = FileLock(self._directory / "users.lock")
                try:
                    # Never refused: whoever takes it exclusively holds the guard.
                    membership.try_lock(shared=True)
                    cluster = find_cluster(self._directory)
                    password = self._prepare(cluster)
                    port = self._join_or_start(cluster, password)
                    self._use = _Use(membership, cluster, password)
                except BaseException:
                    membership.close()
                    raise
        return ServerAddress(HOST, port, SUPERUSER, password, cluster.data)

    def release(self) -> None:
        """Stop using the server; its last user stops it, and returns when it is down.

        Does nothing where this process does not use it. Raises `EmbeddedServerError` where the
        server does not stop.
        """
        use, self._use = self._use, None
        # Where the folder was deleted the server ends by itself, and a new one is not ours.
        if use is None:
            return
        if not use.membership.is_current:
            use.membership.close()
            return
        with (
            explaining(self._directory),
            use.membership,
            lock_exclusively(self._directory / "guard.lock", _GUARD_SECONDS),
        ):
            if use.membership.try_lock(shared=False):
                process = find_postmaster(use.cluster, use.password)
                if process is not None:
                    stop(use.cluster, process)

    def __enter__(self) -> ServerAddress:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _join_or_start(self, cluster: Cluster, password: str) -> int:
        how = Start(
            log=self._directory / "postgres.log",
            port_memory=self._directory / "port",
            settings=self._settings,
        )
        return join(cluster, password) or start(cluster, password, how)

    def _prepare(self, cluster: Cluster) -> str:
        if os.path.lexists(cluster.data):
            check_version(cluster)
            return read_password(self._password_file, cluster.data)
        password = new_password(self._password_file)
        initialise(cluster, password)
        return password
