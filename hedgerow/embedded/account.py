"""The user that PostgreSQL runs as: the caller, or an unprivileged user if that is root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from hedgerow.embedded.errors import EmbeddedServerError

if sys.platform != "win32":
    import pwd


class Program(subprocess.Popen[bytes]):
    """A started program that may outlive this process, as a shared server does."""

    def __del__(self) -> None:
        # Popen's own would warn that a server still used by others is "still running".
        pass


@dataclass(frozen=True)
class Account:
    """A user to run PostgreSQL's programs as.

    Root needs no capability beyond SETUID, SETGID and CHOWN: what another user's files or
    processes need is done as that user.
    """

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> Self:
        """The user of that id, whether or not it has a name."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            # Never the caller's group, which may be root's.
            return cls(str(uid), uid, uid)
        return cls(entry.pw_name, uid, entry.pw_gid)

    @classmethod
    def for_server(cls) -> Self:
        """The caller; for root the user behind sudo, else `postgres`, else `nobody`."""
        if os.geteuid() != 0:
            return cls.of(os.geteuid())
        sudo_uid = os.environ.get("SUDO_UID", "")
        if sudo_uid.isdecimal() and int(sudo_uid) != 0:
            return cls.of(int(sudo_uid))
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to "
            "run it as: add one (useradd --system postgres), or start as an ordinary user."
        )

    @property
    def is_caller(self) -> bool:
        """Whether this is the user that this process runs as."""
        return self.uid == os.geteuid()

    def spawn(self, command: list[str | Path], output: IO[bytes] | int) -> Program:
        """Start a program in a session of its own, its output and errors going to `output`.

        In a session of its own, because Ctrl-C in a terminal reaches every process of the
        terminal's foreground group, and the server has to outlive its clients.
        """
        try:
            return Program(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",  # the caller's folder may be closed to this user
                env=_environment(),
                umask=0o077,
                user=None if self.is_caller else self.uid,
                group=None if self.is_caller else self.gid,
                extra_groups=None if self.is_caller else [],
            )
        except PermissionError as error:
            raise self._refused(command) from error

    def run(self, *command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a short program to its end as this user, with `text` as its input."""
        try:
            return subprocess.run(
                command,
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                cwd="/",
                env=_environment(),
                umask=0o077,
                user=None if self.is_caller else self.uid,
                group=None if self.is_caller else self.gid,
                extra_groups=None if self.is_caller else [],
            )
        except PermissionError as error:
            raise self._refused(list(command)) from error

    def can(self, test: str, path: Path) -> bool:
        """Ask as this user: `test` is an operator of test(1), such as -x for "may pass"."""
        return self.run("test", test, path).returncode == 0

    def shell(self, script: str, *arguments: str | Path, text: str = "") -> None:
        """Run a line of sh as this user; the arguments are its "$1", "$2", ...

        Raises `EmbeddedServerError` with the shell's last line where it fails.
        """
        result = self.run("sh", "-c", script, "sh", *arguments, text=text)
        if result.returncode:
            said = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise EmbeddedServerError(
                f"The embedded PostgreSQL cannot change {arguments[0]} as user {self.name}: "
                f"{said}; fix that, or move the folder away."
            )

    def read_text(self, path: Path) -> str | None:
        """The text of a file of this user's; None where it does not exist."""
        try:
            return path.read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return None
        except PermissionError:
            if self.is_caller:
                raise
        # Root without the capability to pass over permissions reads as the owner does.
        result = self.run("cat", path)
        return result.stdout if result.returncode == 0 else None

    def send(self, signal_number: signal.Signals, pid: int) -> None:
        """Send a signal to a process of this user's (a group, where `pid` is negative).

        Nothing happens where it has ended.
        """
        try:
            os.kill(pid, signal_number)
        except ProcessLookupError:
            pass
        except PermissionError:
            if self.is_caller:
                raise
            self.run("sh", "-c", 'kill -"$1" "$2"', "sh", str(int(signal_number)), str(pid))

    def _refused(self, command: list[str | Path]) -> EmbeddedServerError:
        if self.is_caller:
            return EmbeddedServerError(
                f"{command[0]} cannot be run as user {self.name}: make it executable "
                f"(a disk mounted with noexec does not allow it)."
            )
        return EmbeddedServerError(
            f"PostgreSQL refuses to run as root, and {command[0]} cannot be run as user "
            f"{self.name}: start as an ordinary user, or give the container the capabilities "
            f"SETUID and SETGID."
        )


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until a started program is in its variable, and so can be ended again.

    The program inherits the mask; PostgreSQL's server sets its own.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _environment() -> dict[str, str]:
    """Little: no PG* variable that would steer the programs, and none of the caller's secrets.

    Messages come in English, for `errors.fix_for` reads them.
    """
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment.setdefault("PATH", os.defpath)
    return environment | {"LC_ALL": "C"}
