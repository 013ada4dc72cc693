"""The page of the benchmarks says what the results say, and its own text states no figure."""

import json
import re

import pytest

from benchmarks.__main__ import LEVELS
from benchmarks.page import PAGE, RESULTS, as_json, goals, parts, read_results, requests
from benchmarks.server import PROJECT
from scripts._generated import with_parts

FIGURE = re.compile(r"\d\s*(µs|ms|s|%|x|times|minutes|seconds|requests|rows/s)\b|\d\.\d")


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_results_give() -> None:
    """The fix is `scripts/docs --write`."""
    assert with_parts(text(), parts(read_results())) == text()


def test_every_part_that_can_be_generated_is_on_the_page() -> None:
    found = re.findall(r"<!-- generated: (\S+) -->", text())
    assert sorted(found) == sorted(parts(read_results()))


def test_what_is_written_by_hand_states_no_figure() -> None:
    by_hand = re.sub(r"<!-- generated: .*?<!-- /generated -->", "", text(), flags=re.DOTALL)
    assert not FIGURE.search(by_hand)
    assert FIGURE.search("it takes 6 µs")
    assert FIGURE.search("1.2 as long")


@pytest.mark.parametrize(
    "line",
    [
        "0 of 6 goals are met.",
        "| hedgerow plain | write statement | 1.05 | 1.181 (0.971 to 1.407)"
        " | insert, 1,000,000 rows |",
        "| hedgerow signed | Hedgerow, identity signed | yes | 90 | 1 | 3 |",
    ],
)
def test_the_page_shows_what_was_measured(line: str) -> None:
    assert line in text().splitlines()


@pytest.mark.parametrize(
    "row",
    [
        "| statement | get by id | 91.4 | 1.047 | 1.091 | 1.711 | 1.215 |",
        "| transaction | update | 211 | 0.999 | 1.505 | 1.914 | 1.496 |",
        "| insert | 1.264 | 1.533 | 1.585 | 3.059 |",
        "| 10 | newest 100 of one | 132 | 128 | 1.109 | 1.239 | 1.136 | 1.257 |",
        "| sync create | 440 / 365 · **0.828** |",
        "| fastapi-tenancy | Left out. ",
    ],
)
def test_a_row_of_the_page_begins_with_what_was_measured(row: str) -> None:
    assert f"\n{row}" in text()


def test_results_are_kept_one_measurement_a_line() -> None:
    for file in RESULTS.glob("*.json"):
        kept = file.read_text(encoding="utf-8")
        assert as_json(json.loads(kept)) + "\n" == kept
        assert len(kept.splitlines()) < 500


@pytest.mark.parametrize("level", LEVELS)
def test_the_script_names_every_level(level: str) -> None:
    script = (PROJECT / "scripts" / "bench").read_text(encoding="utf-8")
    assert f"scripts/bench {level}" in script


def measured(variant: str, way: str, operation: str, ratio: float) -> dict[str, object]:
    interval = {"ratio": ratio, "ratio_low": ratio - 0.01, "ratio_high": ratio + 0.01}
    return {"variant": variant, "way": way, "operation": operation, **interval}


def test_a_goal_stands_beside_the_worst_ratio() -> None:
    small, large = (
        [
            measured(variant, way, operation, ratio)
            for variant in ("hedgerow plain", "hedgerow signed")
            for way in ("statement", "transaction")
            for operation, ratio in (("count", read), ("insert", 1.06))
        ]
        for read in (1.01, 1.03)
    )
    sizes = [{"rows": 10, "measurements": small}, {"rows": 2000, "measurements": large}]
    told = goals({"sizes": sizes})
    assert told.startswith("4 of 6 goals are met.")
    assert (
        "| hedgerow plain | read statement | 1.02 | 1.030 (1.020 to 1.040) | count, 2,000" in told
    )
    assert "| hedgerow plain | write statement | 1.05 | 1.060 (1.050 to 1.070) | insert, 10" in told


def test_the_lowest_ratio_of_requests_stands_beside_the_goal() -> None:
    rates = {way: {"requests_per_second": 100.0} for way in ("without", "with")}
    found = [
        {**measured("", "", "", ratio), "kind": "sync", "load": "get", "variants": rates, **where}
        for ratio, where in (
            (0.99, {"latency_ms": 0.0, "connections": 1}),
            (0.9, {"latency_ms": 1.0, "connections": 8}),
        )
    ]
    told = requests({"rows": 10, "measurements": found})
    assert "The goal is a ratio of at least 0.98; the lowest is 0.900 (0.890 to 0.910)." in told
    assert "| sync get | 100 / 100 · **0.990** | 100 / 100 · **0.900** |" in told
