"""How PostgreSQL runs a variant's reads: whether the owner is an index condition, and the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from benchmarks.database.measure import Contestant
from benchmarks.database.operations import OPERATIONS

EXPLAINED = ("newest 20", "count", "search")


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


def plan_shapes(contestant: Contestant) -> list[PlanShape]:
    """Run the reads under EXPLAIN ANALYZE, as the variant's user, and return their shapes."""
    asking = contestant.asking
    shapes = []
    with contestant.runner.transaction() as session:
        for operation in OPERATIONS:
            if operation.name not in EXPLAINED:
                continue
            statement: Any = operation.statement(asking)
            parameters = operation.call(asking, 0).parameters
            spelled = str(
                statement.params(parameters).compile(
                    contestant.runner.engine, compile_kwargs={"literal_binds": True}
                )
            )
            # Compiled for psycopg, a percent sign is doubled; text() doubles it once more.
            query = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {_escaped(spelled)}")
            plan = session.execute(query).scalar_one()
            shapes.append(_shape(operation.name, plan))
    return shapes


def _escaped(statement: str) -> str:
    return statement.replace("%%", "%").replace(":", "\\:")


def _shape(operation: str, plan: Any) -> PlanShape:
    nodes = list(_walk(plan[0]["Plan"]))
    conditions = [node["Index Cond"] for node in nodes if "Index Cond" in node]
    return PlanShape(
        operation,
        nodes=tuple(node["Node Type"] for node in nodes if not _is_init_plan(node)),
        owner_index=any("owner_id = " in condition for condition in conditions),
        init_plans=tuple(int(node["Actual Loops"]) for node in nodes if _is_init_plan(node)),
        rows_filtered=sum(
            int(node.get("Rows Removed by Filter", 0) * node["Actual Loops"]) for node in nodes
        ),
    )


def _is_init_plan(node: dict[str, Any]) -> bool:
    return bool(node.get("Parent Relationship") == "InitPlan")


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)
