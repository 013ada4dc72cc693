"""What the operating system knows of a process, readable without any privilege."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_HAS_PROC = Path("/proc/self/stat").exists()  # Linux; macOS has ps(1) only


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
