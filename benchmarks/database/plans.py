"""What a variant does whatever the machine: the plans of its reads, and its round trips."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from benchmarks.database.contestant import Contestant
from benchmarks.database.operations import OPERATIONS
from tests.support.proxy import Proxy

EXPLAINED = ("newest 20", "count", "search")
_QUERY = text("SELECT count(*) FROM item WHERE id IS NULL")


@dataclass(frozen=True)
class PlanShape:
    """What a plan is judged by.

    `owner_index`: the owner is the condition of an index. `init_plans`: how often each InitPlan
    ran. `rows_filtered`: rows that were read in vain.
    """

    operation: str
    nodes: tuple[str, ...]
    owner_index: bool
    init_plans: tuple[int, ...]
    rows_filtered: int


@dataclass(frozen=True)
class RoundTrips:
    """Round trips of one statement in a transaction that has begun, and of a whole transaction."""

    statement: int
    transaction: int


def plan_shapes(contestant: Contestant) -> list[PlanShape]:
    """Run the reads under EXPLAIN ANALYZE, as the variant's user, and return their shapes."""
    by_hand = contestant.variant.hand_written
    shapes = []
    with contestant.runner.transaction() as session:
        for operation in OPERATIONS:
            if operation.name not in EXPLAINED:
                continue
            statement: Any = operation.statement(by_hand)
            parameters = operation.call(contestant.data, by_hand, 0).parameters
            spelled = str(
                statement.params(parameters).compile(
                    contestant.runner.engine, compile_kwargs={"literal_binds": True}
                )
            )
            # Compiled for psycopg, a percent sign is doubled; text() doubles it once more.
            escaped = spelled.replace("%%", "%").replace(":", "\\:")
            plan = session.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {escaped}")).scalar_one()
            shapes.append(_shape(operation.name, plan[0]["Plan"]))
    return shapes


def _shape(operation: str, plan: dict[str, Any]) -> PlanShape:
    nodes = list(_walk(plan))
    asked = [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]
    return PlanShape(
        operation,
        nodes=tuple(node["Node Type"] for node in nodes if node not in asked),
        owner_index=any("owner_id = " in node.get("Index Cond", "") for node in nodes),
        init_plans=tuple(int(node["Actual Loops"]) for node in asked),
        rows_filtered=sum(
            int(node.get("Rows Removed by Filter", 0) * node["Actual Loops"]) for node in nodes
        ),
    )


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def count_round_trips(contestant: Contestant) -> RoundTrips:
    """Run the variant through a counting proxy, on a connection that is open already."""
    place = contestant.place
    with Proxy(place.owner_url) as proxy:
        runner = contestant.variant.start(replace(place, owner_url=proxy.through(place.owner_url)))
        try:
            with runner.transaction() as session:
                session.execute(_QUERY)
                before = proxy.flights
                session.execute(_QUERY)
                statement = proxy.flights - before
            before = proxy.flights
            with runner.transaction() as session:
                session.execute(_QUERY)
            return RoundTrips(statement, proxy.flights - before)
        finally:
            runner.engine.dispose()
