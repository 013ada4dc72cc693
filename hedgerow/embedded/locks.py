"""Locks that the operating system frees when their holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
import weakref
from pathlib import Path
from typing import Self

from hedgerow.embedded.errors import EmbeddedServerError

if sys.platform != "win32":
    import fcntl

_open_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


class FileLock:
    """One `flock` on one file, held until `close` or until the process ends.

    The descriptor is close-on-exec, so no program started from here inherits the lock. A forked
    child does share it; there the lock is dropped at once (the parent's stays), so a child that
    wants the server acquires it for itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _open_locks.add(self)

    @property
    def is_current(self) -> bool:
        """Whether it is open here, and its path still names the locked file."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def try_lock(self, *, shared: bool) -> bool:
        """Take the lock, or change the kind of it that is held; False where others forbid it."""
        if self._descriptor is None:
            raise EmbeddedServerError(f"The lock {self._path} is closed already; acquire again.")
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Free the lock; a second call does nothing."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def lock_exclusively(path: Path, timeout: float) -> FileLock:
    """Wait up to `timeout` seconds for the exclusive lock on `path`; the caller closes it.

    Raises `EmbeddedServerError` where another process keeps it longer.
    """
    deadline = time.monotonic() + timeout
    while True:
        lock = FileLock(path)
        try:
            if lock.try_lock(shared=False):
                if lock.is_current:
                    return lock
            elif time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Another process has been starting or stopping the embedded PostgreSQL for "
                    f"{timeout:.0f} s (it holds {path}); end that process and try again."
                )
        except BaseException:
            lock.close()
            raise
        lock.close()
        time.sleep(0.01)


def _drop_in_forked_child() -> None:
    for lock in list(_open_locks):
        lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_in_forked_child)
