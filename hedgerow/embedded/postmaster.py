"""Which process serves a cluster: postmaster.pid names it, and the server confirms it."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from hedgerow.embedded.cluster import HOST, SUPERUSER, Cluster
from hedgerow.embedded.errors import EmbeddedServerError

_HAS_PROC = Path("/proc/self/stat").exists()  # Linux; macOS has ps(1) only
_POLL_SECONDS = 0.01
_WRITING_SECONDS = 0.5  # a server that starts this moment may not have written it all


@dataclass(frozen=True)
class Process:
    """A living process. The pid may be given to another program later; `started` may not."""

    pid: int
    parent: int
    started: str


def look_up(pid: int) -> Process | None:
    """The living process of that pid; None where there is none, or only a zombie.

    A zombie child of the caller is reaped on the way.
    """
    # pid 0 and negative pids mean process groups to kill(2).
    found = (_from_proc(pid) if _HAS_PROC else _from_ps(pid)) if pid > 0 else None
    if found is None:
        return None
    process, state = found
    if state not in "ZX":
        return process
    if process.parent == os.getpid():
        os.waitpid(pid, os.WNOHANG)
    return None


def command_line(pid: int) -> str:
    """The words of the command, joined by spaces; empty where the process is gone."""
    if _HAS_PROC:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return os.fsdecode(words.rstrip(b"\0").replace(b"\0", b" "))
    return _ps(pid, "command=")


def _from_proc(pid: int) -> tuple[Process, str] | None:
    try:
        # Opened as bytes: the name of a program (its second field) is not always UTF-8.
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): the name may hold blanks and parentheses; state, ppid, ... follow the last ")".
    fields = stat.rpartition(b")")[2].decode("ascii").split()
    return Process(pid, int(fields[1]), fields[19]), fields[0]


def _from_ps(pid: int) -> tuple[Process, str] | None:
    fields = _ps(pid, "ppid=,state=,lstart=").split(maxsplit=2)
    if len(fields) != 3:
        return None
    return Process(pid, int(fields[0]), fields[2].strip()), fields[1][0]


def _ps(pid: int, columns: str) -> str:
    result = subprocess.run(
        ["/bin/ps", "-ww", "-o", columns, "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env={"LC_ALL": "C"},
    )
    return result.stdout.strip()


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says; nothing of it is true until asked.

    Source: src/include/utils/pidfile.h of PostgreSQL (line numbers, and the status words).
    """

    pid: int
    port: int
    is_ready: bool

    @classmethod
    def read(cls, cluster: Cluster) -> PidFile | None:
        """The file's content; None where it is missing, or not (yet) whole."""
        text = cluster.account.read_text(cluster.pid_file) or ""
        lines = text.splitlines() + [""] * 8
        try:
            return cls(int(lines[0]), int(lines[3]), lines[7].strip() == "ready")
        except ValueError:
            return None


def serves(port: int, password: str, cluster: Cluster, pid: int) -> bool:
    """Ask the server at that port whether it runs on this data and `pid` is its postmaster.

    Raises `psycopg.OperationalError` where no server answers, or the password is refused.
    """
    # Each option that an environment variable of libpq could otherwise change is given.
    options: dict[str, str | int] = {
        "host": HOST,
        "hostaddr": HOST,
        "port": port,
        "user": SUPERUSER,
        "password": password,
        "dbname": "postgres",
        "options": "",
        "sslmode": "disable",
        "gssencmode": "disable",
        "target_session_attrs": "any",
        "client_encoding": "utf8",
        "connect_timeout": 5,
    }
    if psycopg.pq.version() >= 160000:
        # Another program on this port must not get the password by asking for it in plain text.
        options["require_auth"] = "scram-sha-256"
    with psycopg.connect(make_conninfo("", **options)) as connection:
        row = connection.execute(
            "SELECT current_setting('data_directory'), pg_backend_pid()"
        ).fetchone()
        backend = look_up(int(row[1])) if row else None
        return (
            row is not None
            and backend is not None
            and backend.parent == pid
            and os.path.realpath(row[0]) == os.path.realpath(cluster.data)
        )


def find_postmaster(cluster: Cluster, password: str) -> Process | None:
    """The process that serves this cluster, starting and stopping ones included; None without one.

    A pid that another process got after a crash is not believed: its command line has to name this
    data folder, or the server itself has to confirm it.
    """
    deadline = time.monotonic() + _WRITING_SECONDS
    file = PidFile.read(cluster)
    while file is None and time.monotonic() < deadline:
        if cluster.account.read_text(cluster.pid_file) is None:
            return None
        time.sleep(_POLL_SECONDS)
        file = PidFile.read(cluster)
    process = look_up(file.pid) if file else None
    if file is None or process is None:
        return None
    if f"postgres -D {cluster.data} " in command_line(file.pid) + " ":
        return process
    try:
        return process if serves(file.port, password, cluster, file.pid) else None
    except psycopg.OperationalError:
        return None


def wait_until_ready(cluster: Cluster, password: str, process: Process, timeout: float) -> int:
    """Wait until `process` serves the cluster; returns its port, or 0 where it ended first.

    Raises `EmbeddedServerError` where the password is not the cluster's, or after `timeout`
    seconds without an answer.
    """
    deadline = time.monotonic() + timeout
    said = "it is still starting"
    while look_up(process.pid) == process:
        file = PidFile.read(cluster)
        if file and file.pid == process.pid and file.is_ready:
            try:
                if serves(file.port, password, cluster, process.pid):
                    return file.port
                said = f"another server answers on port {file.port}"
            except psycopg.OperationalError as error:
                said = str(error).strip().splitlines()[-1]
                if "password authentication failed" in said:
                    raise EmbeddedServerError(
                        f"The embedded PostgreSQL in {cluster.data} refuses the password in its "
                        f"password file: put the right one back, or end process {process.pid} if "
                        f"it still runs and move the data away to begin with an empty database."
                    ) from error
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"The embedded PostgreSQL (process {process.pid}) in {cluster.data} gives no "
                f"answer after {timeout:.0f} s ({said}): see its log, or stop it with "
                f"kill -INT {process.pid} and start again."
            )
        time.sleep(_POLL_SECONDS)
    return 0


def wait_until_gone(process: Process, timeout: float) -> bool:
    """Whether the process ended within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while look_up(process.pid) == process:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
