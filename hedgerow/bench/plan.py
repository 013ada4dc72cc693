"""Read a plan: whether the owner finds the rows, and how often it is asked who is asking."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Executable, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from hedgerow import sql
from hedgerow.bench.connections import Limits, problem, reading
from hedgerow.bench.facts import Facts
from hedgerow.bench.model import Access, Asked, Plan
from hedgerow.checks.plans import ASKS_FOR_IDENTITY, Node, walk

_CONDITIONS = ("Index Cond", "Recheck Cond")


class _Explain(Executable, ClauseElement):
    """EXPLAIN of a statement with its values bound, as it is sent."""

    inherit_cache = False

    def __init__(self, statement: Select[Any], how: str) -> None:
        self.statement = statement
        self.how = how


@compiles(_Explain)
def _compile_explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN ({element.how}) {compiler.process(element.statement, **options)}"


def plan_of(
    connection: Connection,
    statement: Select[Any],
    limits: Limits,
    facts: Facts,
    owner_column: str | None,
) -> Plan | None:
    """Return how the bound user's statement runs, or None where PostgreSQL cannot even plan it.

    It is executed, unless that takes too long: then the plan is what PostgreSQL would do.
    """
    for options in ("ANALYZE, TIMING OFF, VERBOSE, FORMAT JSON", "VERBOSE, FORMAT JSON"):
        try:
            with reading(connection, limits, past_policies=False):
                found: Any = connection.execute(_Explain(statement, options)).scalar_one()
        except DBAPIError as error:
            problem(error, limits)
            continue
        return read_plan(list(walk(found[0]["Plan"])), facts, owner_column)
    return None


def read_plan(nodes: Sequence[Node], facts: Facts, owner_column: str | None) -> Plan:
    """Return what the nodes of a plan, outermost first, come to."""
    init_plans = [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]
    executed = "Actual Loops" in nodes[0]
    return Plan(
        nodes=tuple(node["Node Type"] for node in nodes if node not in init_plans),
        access=_access(nodes, facts, owner_column),
        identity=_asked(nodes, init_plans),
        sorts=any(node["Node Type"].endswith("Sort") for node in nodes),
        init_plan_loops=tuple(int(node["Actual Loops"]) for node in init_plans)
        if executed
        else None,
        rows_filtered=_rows_filtered(nodes) if executed else None,
    )


def _access(nodes: Sequence[Node], facts: Facts, owner_column: str | None) -> Access:
    read = [
        node for node in nodes if f"{node.get('Schema')}.{node.get('Relation Name')}" in facts.parts
    ]
    if not read:
        return "no table"
    if any("Seq Scan" in node["Node Type"] for node in read):
        return "whole table"
    if owner_column is not None and all(_compares(node, owner_column) for node in read):
        return "owner index"
    return "another index"


def _compares(node: Node, column: str) -> bool:
    """Return whether the column stands in a condition that an index fulfils."""
    name = re.escape(sql.name(column))
    conditions = " ".join(str(node.get(kind, "")) for kind in _CONDITIONS)
    return re.search(rf'(?<![\w"]){name}(?![\w"])', conditions) is not None


def _asked(nodes: Sequence[Node], init_plans: Sequence[Node]) -> Asked:
    filters = [str(node.get("Filter", "")) for node in nodes if node not in init_plans]
    if any(mention in each for each in filters for mention in ASKS_FOR_IDENTITY):
        return "each row"
    # A bare function in an index condition is a key, which each scan of the index computes once.
    kinds = ("Output", "Filter", "Index Cond")
    once = [str(node.get(kind, "")) for node in nodes for kind in kinds]
    return (
        "once"
        if any(mention in each for each in once for mention in ASKS_FOR_IDENTITY)
        else "not at all"
    )


def _rows_filtered(nodes: Sequence[Node]) -> int:
    kinds = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(int(node.get(kind, 0) * node["Actual Loops"]) for node in nodes for kind in kinds)
