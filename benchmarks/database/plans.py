"""What a variant does whatever the machine: the plans of its reads, and its round trips."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from benchmarks.database.contestant import Contestant
from benchmarks.database.operations import OPERATIONS
from hedgerow.checks.plans import walk
from tests.support.proxy import Proxy

EXPLAINED = ("newest 20", "count", "search")
_QUERY = text("SELECT count(*) FROM item WHERE id IS NULL")


@dataclass(frozen=True)
class PlanShape:
    """What a plan is judged by.

    `owner_index`: the owner is an index condition. `init_plans`: how often each InitPlan ran.
    """

    operation: str
    nodes: tuple[str, ...]
    owner_index: bool
    init_plans: tuple[int, ...]
    rows_filtered: int


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
            shapes.append(read_shape(operation.name, plan[0]["Plan"], "owner_id = "))
    return shapes


def read_shape(operation: str, plan: dict[str, Any], comparison: str) -> PlanShape:
    """Return what a plan is judged by; `comparison` is how the deciding one begins."""
    nodes = list(walk(plan))
    asked = [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]
    return PlanShape(
        operation,
        nodes=tuple(node["Node Type"] for node in nodes if node not in asked),
        owner_index=any(comparison in node.get("Index Cond", "") for node in nodes),
        init_plans=tuple(int(node["Actual Loops"]) for node in asked),
        rows_filtered=sum(
            int(node.get("Rows Removed by Filter", 0) * node["Actual Loops"]) for node in nodes
        ),
    )


def count_round_trips(contestant: Contestant) -> dict[str, int]:
    """Return the round trips of a statement in a transaction, and of a whole transaction."""
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
            return {"statement": statement, "transaction": proxy.flights - before}
        finally:
            runner.engine.dispose()
