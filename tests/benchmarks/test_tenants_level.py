"""The benchmarks' level about tenants works: right rows and plans. It judges no time."""

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.database.measure import Pace
from benchmarks.database.operations import WrongRowsError
from benchmarks.database.variants import Place
from benchmarks.server import private_server
from benchmarks.tenants.contestant import VARIANTS, Contestant
from benchmarks.tenants.level import measure_rows
from benchmarks.tenants.operations import OPERATIONS
from benchmarks.tenants.schema import TENANTS_OF_USERS, make_data

ROWS = 10_000


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """Return a small run, as it is written to the file."""
    return dict(json.loads(json.dumps(measure_rows(ROWS, Pace(rounds=1, repeat=1, warm_up=0)))))


def test_every_operation_is_measured_for_each_user_against_both_ways(
    results: dict[str, Any],
) -> None:
    assert [user["tenants"] for user in results["users"]] == list(TENANTS_OF_USERS)
    assert [user["rows"] for user in results["users"]] == [10, 100, 1000]
    for user in results["users"]:
        found = {(o["operation"], o["floor"], o["variant"]) for o in user["measurements"]}
        assert found == {
            (operation.name, floor, variant.name)
            for operation in OPERATIONS
            for floor in ("join", "array")
            for variant in VARIANTS
        }
        assert all(o["ratio"] == 1 for o in user["measurements"] if o["floor"] == o["variant"])


@pytest.mark.parametrize("variant", ["hedgerow plain", "hedgerow signed"])
def test_tenants_rows_are_read_through_the_index(results: dict[str, Any], variant: str) -> None:
    """P46, P48: an InitPlan for each place that asks, and no row of another tenant is looked at."""
    for user in results["users"]:
        plans = {plan["operation"]: plan for plan in user["plans"][variant]}
        for operation in ("newest 100", "newest 100 of one", "count"):
            assert plans[operation]["owner_index"]
            assert "Seq Scan" not in plans[operation]["nodes"]
        asked = {name: plan["init_plans"] for name, plan in plans.items()}
        assert asked.pop("update") == [1, 1, 1, 1]
        assert set(map(tuple, asked.values())) == {(1,)}


def test_a_variant_that_changes_another_tenants_row_is_refused() -> None:
    by_hand = replace(VARIANTS[0], form="policy")
    with private_server() as server:
        data = make_data(server, "leaking", ROWS)[0]
        place = Place(server.set(database="leaking"), data.user)
        by_hand.set_up(place)
        runner = by_hand.start(place)
        try:
            with pytest.raises(WrongRowsError, match="newest 100: expected 10, got 100"):
                Contestant(by_hand, runner, data, None).try_out()  # type: ignore[arg-type]
        finally:
            runner.engine.dispose()
