"""The audit level of the benchmarks works, and its command can be stopped. It judges no time."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from benchmarks.__main__ import LEVELS
from benchmarks.audit import WAYS, WORKS, Pace, Place, hammer, measure_pace, read
from hedgerow import RowSecurity
from tests.support.databases import PROJECT
from tests.support.processes import started


def start(*words: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start the command as a terminal does: Ctrl-C there reaches everything that it starts."""
    return started([sys.executable, "-m", "benchmarks", *words], folder=PROJECT)


def test_both_ways_are_measured() -> None:
    results = measure_pace(Pace(admins=2, rounds=1, seconds=0.05))
    assert results["server_settings"]["fsync"] == "on"
    assert [one["work"] for one in results["measurements"]] == list(WORKS)
    for one in results["measurements"]:
        assert one["ways"].keys() == WAYS.keys()
        assert 0 < one["ratio_low"] <= one["ratio"] <= one["ratio_high"]
        for throughput in one["ways"].values():
            assert throughput["requests"] >= 2
            assert 0 < throughput["p50_ms"] <= throughput["p99_ms"]


def test_the_command_is_stopped_without_a_traceback(tmp_path: Path) -> None:
    with start("audit", "--output", str(tmp_path)) as command:
        assert command.stderr is not None
        for line in command.stderr:
            if "admins" in line:
                break
        os.killpg(command.pid, signal.SIGINT)
        _, told = command.communicate(timeout=60)
    assert command.returncode == 130
    assert "stopped" in told
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_while_the_threads_start_ends_those_that_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start_thread = threading.Thread.start
    started: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise KeyboardInterrupt
        started.append(thread)
        start_thread(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    place = Place(create_engine("postgresql+psycopg://"), RowSecurity(), [])
    with pytest.raises(KeyboardInterrupt):
        hammer(place, read, Pace(3, 1, 1.0))
    assert [thread.name for thread in started if thread.is_alive()] == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_script_names_every_level(level: str) -> None:
    script = (PROJECT / "scripts" / "bench").read_text(encoding="utf-8")
    assert f"scripts/bench {level}" in script
