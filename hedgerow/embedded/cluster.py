"""Where data and programs of one embedded server lie, and who may use them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from hedgerow.embedded.account import Account
from hedgerow.embedded.binaries import installation, readable_copy
from hedgerow.embedded.errors import EmbeddedServerError, explaining

# Where root keeps what the unprivileged user cannot reach inside the project.
SHARED_FOLDER = Path("/var/lib/hedgerow")


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
