"""The audit level of the benchmarks works, and its command can be stopped. It judges no time."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from benchmarks.audit import WAYS, WORKS, Pace, hammer, read, summary
from benchmarks.page import LEVELS, PAGE, RESULTS
from tests.support.databases import PROJECT

pytestmark = pytest.mark.xdist_group("benchmarks")

TINY = ("audit", "--admins", "2", "--rounds", "1", "--seconds", "0.05")


def start(*words: str) -> subprocess.Popen[str]:
    """Start the command as a terminal does: Ctrl-C there reaches everything that it starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def published() -> dict[Path, bytes]:
    files = [PAGE, *PAGE.with_suffix("").glob("*.svg"), *RESULTS.glob("*.json")]
    return {file: file.read_bytes() for file in files}


def test_both_ways_are_measured_and_only_the_named_file_is_written(tmp_path: Path) -> None:
    before = published()
    output = tmp_path / "own.json"
    with start(*TINY, "--output", str(output)) as command:
        printed, told = command.communicate(timeout=60)
    assert command.returncode == 0, told
    results: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    assert results["level"] == "audit"
    assert results["pace"] == {"admins": 2, "rounds": 1, "seconds": 0.05}
    assert results["server_settings"]["fsync"] == "on"
    assert [one["work"] for one in results["measurements"]] == list(WORKS)
    for one in results["measurements"]:
        assert one["ways"].keys() == WAYS.keys()
        assert 0 < one["ratio_low"] <= one["ratio"] <= one["ratio_high"]
        for throughput in one["ways"].values():
            assert throughput["requests"] >= 2
            assert 0 < throughput["p50_ms"] <= throughput["p99_ms"]
    assert printed.strip() == summary(results)
    assert published() == before


def test_the_command_is_stopped_without_a_traceback(tmp_path: Path) -> None:
    with start("audit", "--output", str(tmp_path / "none.json")) as command:
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
    with pytest.raises(KeyboardInterrupt):
        hammer(create_engine("postgresql+psycopg://"), "with", read, [], Pace(3, 1, 1.0))
    assert [thread.name for thread in started if thread.is_alive()] == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_command_and_its_script_name_every_level(level: str) -> None:
    with start("--help") as command:
        printed, _ = command.communicate(timeout=60)
    script = (PROJECT / "scripts" / "bench").read_text(encoding="utf-8")
    for text in (printed, script):
        assert f"scripts/bench {level}" in text
        assert "scripts/bench page" in text
