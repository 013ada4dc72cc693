"""The page of the benchmarks says what the results say, and nothing else says a figure."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from benchmarks import audit
from benchmarks.database.goals import Goal
from benchmarks.database.measure import WAYS
from benchmarks.database.measurement import Measurement
from benchmarks.database.operations import OPERATIONS
from benchmarks.database.plans import EXPLAINED, PlanShape
from benchmarks.database.round_trips import RoundTrips
from benchmarks.database.size import Size
from benchmarks.database.variants import HEDGEROW_PLAIN, HEDGEROW_SIGNED, OR_BARE, OWN
from benchmarks.http.data import VARIANTS
from benchmarks.http.goals import judge
from benchmarks.http.measure import Measurement as HttpMeasurement
from benchmarks.http.measure import Throughput
from benchmarks.http.round_trips import RoundTrips as HttpRoundTrips
from benchmarks.page import LEVELS, PAGE, PICTURES, Results, outdated, parts, read_results, wanted

SVG = "{http://www.w3.org/2000/svg}"
FIGURE = re.compile(r"\d\s*(µs|ms|s|%|x|times|minutes|seconds|requests|rows/s)\b|\d\.\d")

RUN: dict[str, Any] = {
    "date": "2026-01-02T03:04:05+00:00",
    "commit": "0123456789ab",
    "machine": {
        "processor": "A processor",
        "cores": 2,
        "memory_bytes": 8 * 2**30,
        "system": "A system",
        "kernel": "A kernel",
        "load_average": [0.1, 0.2, 0.3],
    },
    "versions": {"python": "CPython 3.11", "postgresql": "18.6"},
    "server_settings": {"fsync": "off"},
    "method": "So it was measured.",
    "seconds": 90,
}
RATIOS = {HEDGEROW_PLAIN.name: 1.05, HEDGEROW_SIGNED.name: 1.25, OR_BARE.name: 4000.0}


def size_of(rows: int) -> Size:
    size = Size(rows, failures={"leaky": "WrongRowsError: count: expected 100, got 1000"})
    for variant in OWN:
        ratio = RATIOS.get(variant.name, 1.0)
        size.measurements += [
            Measurement(operation.name, way, variant.name, 10, 40 * ratio, 60 * ratio, *[ratio] * 3)
            for operation in OPERATIONS
            for way in WAYS
            if way != "unprepared" or not operation.bulk
        ]
        scans = variant is OR_BARE
        size.plans[variant.name] = [
            PlanShape(name, (), not scans, (1,), rows if scans else 0) for name in EXPLAINED
        ]
        size.round_trips[variant.name] = RoundTrips(1, 4 if scans else 3)
    return size


def database() -> dict[str, Any]:
    goal = Goal("a promise", 1.02, 1.05, "count, 1,000 rows", met=False, clear=False)
    described: list[dict[str, Any]] = [
        {"name": one.name, "description": one.description, "version": None, "floor": one.floor}
        for one in OWN
    ]
    leaky = {"name": "leaky", "description": "as it says", "version": "1.0", "floor": "floor"}
    return {
        **RUN,
        "one_core": True,
        "pace": {"rounds": 3, "repeat": 10, "warm_up": 15},
        "variants": [
            *(one | {"runs": True, "why_not": None} for one in described),
            leaky | {"runs": False, "why_not": "1,000 rows: expected 100, got 1000"},
            {"name": "absent", "runs": False, "why_not": "Not installed: somewhere."},
        ],
        "goals": [asdict(goal)],
        "sizes": [size_of(1000).as_json(), size_of(10_000).as_json()],
    }


def http() -> dict[str, Any]:
    rates = dict.fromkeys(VARIANTS, Throughput(90, 123.4, 1.5, 2.5))
    measurements = [
        HttpMeasurement(load, kind, connections, latency, rates, 0.97, 0.96, 0.99)
        for latency in (0.0, 1.0)
        for connections in (1, 8)
        for kind in ("sync", "async")
        for load in ("list", "get")
    ]
    trips = [
        HttpRoundTrips(load, kind, variant, 5)
        for kind in ("sync", "async")
        for load in ("list", "get")
        for variant in VARIANTS
    ]
    return {
        **RUN,
        "cores": {"application": 1, "others": [0]},
        "rows": 1000,
        "pace": {"connections": [1, 8], "rounds": 2, "seconds": 0.2, "latencies_ms": [0.0, 1.0]},
        "goals": [asdict(goal) for goal in judge(measurements, trips)],
        "round_trips": [asdict(one) for one in trips],
        "measurements": [asdict(one) for one in measurements],
    }


def audited() -> dict[str, Any]:
    ways = {
        "without": audit.Throughput(90, 987.6, 1.5, 2.5),
        "with": audit.Throughput(90, 123.4, 3.5, 4.5),
    }
    one = audit.Measurement("read", ways, 0.125, 0.12, 0.13)
    return {**RUN, "pace": asdict(audit.Pace(20, 5, 2.0)), "measurements": [asdict(one)]}


@pytest.fixture(scope="module")
def results() -> Results:
    """Return results of every level, as they are read from the files."""
    made = {"database": database(), "http": http(), "audit": audited()}
    return dict(json.loads(json.dumps(made)))


@pytest.fixture(scope="module")
def files(results: Results) -> dict[Path, str]:
    """Return the page and its pictures, as these results give them."""
    return wanted(results, PAGE.read_text(encoding="utf-8"))


def by_hand(page: str) -> str:
    return re.sub(r"<!-- generated: .*?<!-- /generated -->", "", page, flags=re.DOTALL)


def test_the_page_and_its_pictures_are_what_the_results_give() -> None:
    """The fix is `scripts/bench page`."""
    assert sorted(path.name for path in outdated()) == []


def test_a_level_without_results_says_so() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for level, one in read_results().items():
        assert (f"Not measured yet: `scripts/bench {level}`" in page) is (one is None)


def test_nothing_measured_is_a_page_without_pictures(tmp_path: Path) -> None:
    nothing = read_results(tmp_path)
    ((path, page),) = wanted(nothing, PAGE.read_text(encoding="utf-8")).items()
    assert path == PAGE
    assert "![" not in page
    for level in LEVELS:
        assert f"Not measured yet: `scripts/bench {level}`" in page


def test_every_part_that_can_be_generated_is_on_the_page(results: Results) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(re.findall(r"<!-- generated: (\S+) -->", text)) == sorted(parts(results))


def test_what_is_written_by_hand_states_no_figure() -> None:
    assert not FIGURE.search(by_hand(PAGE.read_text(encoding="utf-8")))
    assert FIGURE.search("it takes 6 µs")
    assert FIGURE.search("1.2 as long")


@pytest.mark.parametrize(
    "line",
    [
        "| a promise | at most 1.02 | 1.050 | count, 1,000 rows | **missed**, not clearly |",
        "1 of 4 goals are met.",
        "| commit | `0123456789ab` | `0123456789ab` | `0123456789ab` |",
        "| count | 40.0 / 60.0 | 40.0 / 60.0 · **1.000** | 42.0 / 63.0 · **1.050**"
        " | 50.0 / 75.0 · **1.250** |",
        "`statement`, 10,000 rows: to a read, a plain identity adds 2.0 µs, a signed one 10.0 µs.",
        "| count | hedgerow signed | 50.0 | 50.0 | 1.000 |",
        "| owner OR admin setting | in none | 10,000 | 1 | 4 |",
        "* **leaky** 1.0, used so: as it says. Left out. 1,000 rows: expected 100, got 1000",
        "* **absent**. Left out. Not installed: somewhere.",
        "| sync | list | 8 | 123 / 123 | 0.970 (0.960 to 0.990) | 1.5 / 1.5 | 2.5 / 2.5 |",
        "| async | get | 5 | 5 | 1.5 | 1.5 |",
        "| read | with | 123 | 3.5 | 4.5 | 0.125 (0.120 to 0.130) |",
        "20 admins at the same time.",
    ],
)
def test_the_page_says_what_was_measured(files: dict[Path, str], line: str) -> None:
    assert line in files[PAGE].splitlines()


def test_every_picture_is_shown_and_none_is_missing(files: dict[Path, str]) -> None:
    shown = re.findall(r"!\[[^]]+\]\(performance/([^)]+)\)", files[PAGE])
    assert sorted(shown) == sorted(path.name for path in files if path.parent == PICTURES)
    assert len(shown) == 6


def drawn(text: str) -> Xml.Element:
    return Xml.fromstring(text)  # noqa: S314  it is our own


def test_pictures_are_well_formed_and_their_text_is_text(files: dict[Path, str]) -> None:
    pictures = {path: drawn(text) for path, text in files.items() if path.suffix == ".svg"}
    for path, picture in pictures.items():
        assert picture.tag == f"{SVG}svg"
        assert picture.find("{*}title") is not None, path
        width, height = map(float, picture.attrib["viewBox"].split()[2:])
        for word in picture.iter(f"{SVG}text"):
            assert word.text
            assert 0 <= float(word.attrib["x"]) <= width
            assert 0 <= float(word.attrib["y"]) <= height
    words = [word.text for word in pictures[PICTURES / "ratios-statement.svg"].iter(f"{SVG}text")]
    assert {"hedgerow signed", "1.250", "owner OR admin setting", "4,000"} <= set(words)


def test_committed_pictures_are_well_formed() -> None:
    for path in PICTURES.glob("*.svg"):
        assert drawn(path.read_text(encoding="utf-8")).tag.endswith("svg")
