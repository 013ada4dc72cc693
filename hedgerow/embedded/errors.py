"""Errors of the embedded server: one line each, with the fix."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hedgerow.errors import HedgerowError


class EmbeddedServerError(HedgerowError):
    """The embedded PostgreSQL cannot be started, joined or stopped; the text names the fix."""


_FREE_SPACE = "free some space on that disk"
_WRITABLE = "choose a folder on a disk that can be written"
_PERMISSION = (
    'give the folder back to yourself (sudo chown -R "$(id -un)" <folder>), '
    "or run as the user who owns it"
)
_FIX_OF_ERRNO = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EROFS: _WRITABLE,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EEXIST: "move that file away: a folder is needed there",
    errno.ENOTDIR: "move that file away: a folder is needed there",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.ELOOP: "fix the symbolic link",
}
# What PostgreSQL's own last words mean for the person who reads them; first match wins.
_FIX_OF_TEXT = (
    ("no space left on device", _FREE_SPACE + " (for /dev/shm in Docker: --shm-size=256m)"),
    ("disk quota exceeded", _FREE_SPACE),
    ("read-only file system", _WRITABLE),
    ("wrong ownership", "run as the user who owns the data folder"),
    ("could not look up effective user", "run as a user who has an entry in /etc/passwd"),
    ('"root" execution', "give the cluster's folder to an ordinary user (chown -R)"),
    ("semaphores", "raise the system's semaphore limits (kernel.sem, kern.sysv.semmns)"),
    ("cannot allocate memory", "allow more memory, or pass a smaller shared_buffers in settings"),
    (
        "shared memory",
        "mount /dev/shm (Docker: --shm-size=256m), "
        "or pass dynamic_shared_memory_type=mmap in settings",
    ),
    ("permission denied", _PERMISSION),
    ("unrecognized configuration parameter", "correct the settings passed to EmbeddedServer"),
    ("invalid value for parameter", "correct the settings passed to EmbeddedServer"),
)


def fix_for(text: str, otherwise: str) -> str:
    """The fix for what PostgreSQL said in `text`, or `otherwise` where none is known."""
    lowered = text.lower()
    return next((fix for needle, fix in _FIX_OF_TEXT if needle in lowered), otherwise)


@contextmanager
def explaining(folder: Path) -> Iterator[None]:
    """Turn an OSError from within into an `EmbeddedServerError` that names path and fix."""
    try:
        yield
    except OSError as error:
        path = error.filename or folder
        fix = _FIX_OF_ERRNO.get(error.errno or 0, f"make {folder} a folder you can write to")
        raise EmbeddedServerError(
            f"The embedded PostgreSQL cannot use {path}: {error.strerror or error}; "
            f"{fix.replace('<folder>', str(folder))}."
        ) from error
