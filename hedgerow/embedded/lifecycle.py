"""Start, join and stop the server of a cluster."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hedgerow.embedded.account import interrupts_held
from hedgerow.embedded.cluster import HOST, Cluster
from hedgerow.embedded.errors import EmbeddedServerError, fix_for
from hedgerow.embedded.postmaster import (
    Process,
    find_postmaster,
    look_up,
    wait_until_gone,
    wait_until_ready,
)

_logger = logging.getLogger("hedgerow.embedded")
_START_SECONDS = 120.0  # recovery after a crash takes its time
_FAST_STOP_SECONDS = 60.0
_IMMEDIATE_STOP_SECONDS = 10.0
_ORPHANS_SECONDS = 20.0  # backends end by themselves once they notice that their server is gone
_PORT_ATTEMPTS = 5
_AGAIN_SECONDS = 1.0


def choose_port(memory: Path) -> int:
    """The port remembered in the file `memory` while it is free, else a new one, remembered.

    Another program may still take it before the server does.
    """
    try:
        remembered = int(memory.read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, ValueError):
        remembered = 0
    port = (_free(remembered) if 1024 <= remembered < 65536 else None) or _free(0)
    if port is None:
        raise OSError(f"no TCP port is free on {HOST}")
    if port != remembered:
        memory.write_text(f"{port}\n", encoding="utf-8")
    return port


def _free(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            # As PostgreSQL does: connections that linger from the last run take no port away.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Start:
    """What a start needs beside the cluster; `log` and `port_memory` are files of the caller's."""

    log: Path
    port_memory: Path
    settings: Mapping[str, str]


def join(cluster: Cluster, password: str) -> int:
    """The port of the server that runs on this cluster already; 0 where none does."""
    process = find_postmaster(cluster, password)
    return wait_until_ready(cluster, password, process, _START_SECONDS) if process else 0


def start(cluster: Cluster, password: str, how: Start) -> int:
    """Start a server on a cluster that none runs on, wait until it is ready, return its port.

    Raises `EmbeddedServerError` with the last FATAL line of the log where it does not start;
    whatever goes wrong, no server is left.
    """
    if cluster.account.read_text(cluster.pid_file) is not None:
        # No server serves these data. PostgreSQL would believe a pid that another process got.
        cluster.account.shell('rm -f -- "$1"', cluster.pid_file)
    if cluster.is_shared:
        _logger.warning(
            "The user %s cannot reach the project's folder: the embedded PostgreSQL keeps its "
            "data in %s.",
            cluster.account.name,
            cluster.data,
        )
    if how.log.exists():
        how.log.replace(how.log.with_suffix(".log.1"))
    deadline = time.monotonic() + _ORPHANS_SECONDS
    taken = 0
    while True:
        # Joined after a failure: a server whose starter was killed may have been a moment faster.
        port = _start_once(cluster, password, how) or join(cluster, password)
        if port:
            return port
        log = _tail(how.log)
        if "already in use" in log and taken < _PORT_ATTEMPTS:
            taken += 1
        elif "still in use" in log and time.monotonic() < deadline:
            time.sleep(0.1)
        else:
            raise EmbeddedServerError(_why(cluster, how.log, log))


def stop(cluster: Cluster, process: Process) -> None:
    """Stop the server and return when it is really down.

    Sessions are ended (fast shutdown); raises `EmbeddedServerError` where it does not end.
    """
    for kind, timeout in (
        (signal.SIGINT, _FAST_STOP_SECONDS),
        (signal.SIGQUIT, _IMMEDIATE_STOP_SECONDS),
    ):
        # Asked again before each signal: the pid may be another program's by now.
        if look_up(process.pid) == process:
            cluster.account.send(kind, process.pid)
        if wait_until_gone(process, timeout):
            return
        _logger.warning("The embedded PostgreSQL did not stop within %.0f s.", timeout)
    raise EmbeddedServerError(
        f"The embedded PostgreSQL (process {process.pid}) in {cluster.data} does not stop: "
        f"end it with kill -KILL {process.pid}."
    )


def _start_once(cluster: Cluster, password: str, how: Start) -> int:
    options = {
        "logging_collector": "off",
        **how.settings,
        "listen_addresses": HOST,
        "port": str(choose_port(how.port_memory)),
        "unix_socket_directories": "",
    }
    command: list[str | Path] = [cluster.program("postgres"), "-D", cluster.data]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    how.log.touch(mode=0o600)
    program = None
    try:
        # Emptied for each attempt: an earlier message is not the reason why this one ended.
        with how.log.open("wb") as log, interrupts_held():
            program = cluster.account.spawn(command, log)
        process = look_up(program.pid)
        port = wait_until_ready(cluster, password, process, _START_SECONDS) if process else 0
        if not port:
            program.wait()
        return port
    except BaseException:
        # Asked more than once: it ignores the signal as it begins, where its starter ignores it, as
        # the background jobs of a shell do.
        while program is not None and program.poll() is None:
            cluster.account.send(signal.SIGQUIT, program.pid)
            with suppress(subprocess.TimeoutExpired):
                program.wait(_AGAIN_SECONDS)
        raise


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        return file.read().decode(errors="replace")


def _why(cluster: Cluster, log: Path, text: str) -> str:
    lines = text.strip().splitlines()
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    said = (fatal or lines or ["it ended without a word"])[-1]
    return (
        f"The embedded PostgreSQL in {cluster.data} does not start: {said.strip()}; "
        f"{fix_for(text, f'see {log}')}."
    )
