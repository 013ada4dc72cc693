"""Places for hashing passwords, apart from the threads and connections of all other requests.

Argon2 takes processors and 64 MB for a while, on purpose. Done wherever it is needed, those who
guess passwords would take every thread and every processor from everybody else.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy.util.concurrency import await_only, in_greenlet

T = TypeVar("T")

PLACES: Final = max(1, (os.cpu_count() or 1) // 2)
"""How many passwords a process hashes at once."""

QUEUE: Final = 16 * PLACES
"""How many may wait for a place: what is done within a second or two."""

RETRY_AFTER_SECONDS: Final = 2


class HashingBusyError(Exception):
    """More passwords wait to be hashed than this process gets done soon."""


def _step_back() -> None:
    """Let all other threads of the machine go first; only Linux has priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


_places: Final = ThreadPoolExecutor(PLACES, "hashing", initializer=_step_back)
_room: Final = threading.Semaphore(PLACES + QUEUE)


def in_place(work: Callable[[], T]) -> T:
    """Do the work in a place for hashing, and return what it returns.

    Inside of an asynchronous session's `run_sync` the event loop goes on meanwhile; anywhere else
    the thread waits. Raises HashingBusyError. The trap: it blocks an asynchronous function that
    calls it without `run_sync`.
    """
    if not _room.acquire(blocking=False):
        raise HashingBusyError
    future = _places.submit(work)
    future.add_done_callback(lambda _: _room.release())
    if in_greenlet():
        return await_only(asyncio.wrap_future(future))
    return future.result()
