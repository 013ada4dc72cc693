"""Keep what is measured apart from what measures it, where the system can."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """The core of the applications, of which one is under load at a time, and those of the rest."""

    application: int | None
    others: tuple[int, ...]


@contextmanager
def separate_cores() -> Iterator[Cores]:
    """Hold this process, and what it starts from now on, to all cores but one, which is yielded.

    Nothing is held anywhere where the system cannot do that, or there is one core only.
    """
    former = os.sched_getaffinity(0) if sys.platform == "linux" else set()
    if len(former) < 2:
        yield Cores(None, ())
        return
    application = max(former)
    others = former - {application}
    os.sched_setaffinity(0, others)
    try:
        yield Cores(application, tuple(sorted(others)))
    finally:
        os.sched_setaffinity(0, former)
