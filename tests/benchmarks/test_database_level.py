"""The database level of the benchmarks works: right rows, plans and round trips. It judges no time.

On its own server: the benchmarks' roles have other passwords than the tests'.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import URL

from benchmarks.database.contestant import ways_of
from benchmarks.database.level import measure_size, measure_sizes
from benchmarks.database.measure import Pace
from benchmarks.database.operations import OPERATIONS, WrongRowsError
from benchmarks.database.variants import FLOOR, HEDGEROW_PLAIN, OWN, CannotRunError, Place
from benchmarks.packages import DISTRIBUTIONS
from benchmarks.server import private_server

ROWS = 10_000
PACE = Pace(rounds=1, repeat=1, warm_up=0)
SCANNING = {"owner OR admin setting", "owner OR admin setting, wrapped"}
READING_ONE_OWNER = {"floor", "floor again", "hedgerow plain", "hedgerow signed"}
ASKING_ONCE = {"hedgerow plain", "hedgerow signed"}


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """Return a small run, as it is written to the file."""
    return dict(json.loads(json.dumps(measure_sizes([ROWS], PACE))))


@pytest.fixture(scope="module")
def plans(results: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the plans of the reads, by variant."""
    return dict(results["sizes"][0]["plans"])


@pytest.fixture(scope="module")
def own_server() -> Iterator[URL]:
    """Yield a server on which roles and databases may be what a test makes them."""
    with private_server() as server:
        yield server


def test_every_operation_is_measured_in_every_way_and_variant(results: dict[str, Any]) -> None:
    (size,) = results["sizes"]
    found = {(one["operation"], one["way"], one["variant"]) for one in size["measurements"]}
    running = [variant["name"] for variant in results["variants"] if not variant["why_not"]]
    assert set(running) >= {variant.name for variant in OWN}
    assert found == {
        (operation.name, way, name)
        for operation in OPERATIONS
        for way in ways_of(operation)
        for name in running
    }


def test_measurements_hold_what_a_page_shows(results: dict[str, Any]) -> None:
    for one in results["sizes"][0]["measurements"]:
        assert 0 < one["median_us"] <= one["p95_us"]
        assert 0 < one["ratio_low"] <= one["ratio"] <= one["ratio_high"]
        assert one["calls"] >= 1


def test_the_floor_is_its_own_measure(results: dict[str, Any]) -> None:
    for one in results["sizes"][0]["measurements"]:
        if one["variant"] == "floor":
            assert one["ratio"] == 1


def test_results_say_where_they_come_from(results: dict[str, Any]) -> None:
    assert results["machine"].keys() >= {"processor", "cores", "memory_bytes", "load_average"}
    assert results["versions"].keys() >= {"python", "postgresql", "sqlalchemy", "psycopg"}
    assert results["server_settings"]["autovacuum"] == "off"
    assert results["server_settings"]["fsync"] == "off"
    assert results["date"]


def test_each_package_is_measured_or_says_why_not(results: dict[str, Any]) -> None:
    told = {variant["name"]: variant for variant in results["variants"]}
    for distribution in DISTRIBUTIONS:
        assert told[distribution]["why_not"] or told[distribution]["version"]


@pytest.mark.parametrize("name", sorted(READING_ONE_OWNER))
def test_one_owners_rows_are_read_through_the_index(
    plans: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """P45: the comparison stands bare, so the owner is an index condition."""
    for plan in plans[name]:
        assert plan["owner_index"]
        assert "Seq Scan" not in plan["nodes"]


@pytest.mark.parametrize("name", sorted(ASKING_ONCE))
def test_the_identity_is_asked_for_once_a_statement(
    plans: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """P46: an InitPlan, and not a call a row."""
    for plan in plans[name]:
        assert plan["init_plans"] == [1]


@pytest.mark.parametrize("name", sorted(SCANNING))
def test_an_or_beside_the_comparison_reads_everything(
    plans: dict[str, list[dict[str, Any]]], name: str
) -> None:
    """P45: what the benchmark shows of the other shape is what was said of it."""
    for plan in plans[name]:
        assert not plan["owner_index"]
        assert plan["rows_filtered"] >= ROWS * 9 // 10


def test_the_identity_costs_no_round_trip(results: dict[str, Any]) -> None:
    trips = results["sizes"][0]["round_trips"]
    assert trips["floor"] == {"statement": 1, "transaction": 3}
    for name in ("hedgerow plain", "hedgerow signed"):
        assert trips[name] == trips["floor"]


def test_an_identity_as_a_statement_of_its_own_is_seen(results: dict[str, Any]) -> None:
    trips = results["sizes"][0]["round_trips"]
    for name in SCANNING:
        assert trips[name]["transaction"] == trips["floor"]["transaction"] + 1


def test_a_variant_with_wrong_rows_is_refused(own_server: URL) -> None:
    """Without WHERE and without row security, the rows of all users come back."""
    leaking = replace(FLOOR, hand_written=False)
    with pytest.raises(WrongRowsError, match="newest 20"):
        measure_size(own_server, 1_000, [leaking], PACE)


def test_a_package_that_cannot_run_or_returns_wrong_rows_is_told_and_left_out(
    own_server: URL,
) -> None:
    def set_up(place: Place) -> None:
        raise CannotRunError("It needs what is not here.")

    leaking = replace(FLOOR, name="leaking", hand_written=False, package="1.0")
    broken = replace(HEDGEROW_PLAIN, name="broken", set_up=set_up, package="1.0")
    size = measure_size(own_server, 1_000, [FLOOR, leaking, broken], PACE, ways=("statement",))
    assert "newest 20" in size.failures["leaking"]
    assert "It needs what is not here." in size.failures["broken"]
    assert {one.variant for one in size.measurements} == {"floor"}
