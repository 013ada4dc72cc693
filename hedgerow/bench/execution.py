"""How a statement is run: in READ ONLY transactions, timed in turns, and with its plan read."""

import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, ClauseElement, Connection, Executable, NullPool, Select, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from hedgerow import sql
from hedgerow.bench.questions import Facts
from hedgerow.bench.report import Access, Asked, Limits, Plan, Timing
from hedgerow.checks.plans import ASKS_FOR_IDENTITY, Node, asks_each_row, walk
from hedgerow.connect import connect, first_line
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.sessions.begin import set_locally

_QUERY_CANCELED = "57014"
_SLOW_SECONDS = 0.1
_SLOW_ROUNDS = 5
_WARM_UP = 12
"""psycopg prepares a statement after five calls, PostgreSQL settles on a plan after five more."""

Finders = Mapping[Access, Sequence[str]]
"""By which columns rows are found, and what that is called."""

_CONDITIONS = ("Index Cond", "Recheck Cond")


@contextmanager
def connect_read_only(url: URL, fix: str) -> Iterator[Connection]:
    """Yield a connection whose transactions are all READ ONLY.

    Raises DatabaseNotReadyError, with `fix`, where the server cannot be reached.
    """
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    with connect(engine, fix).execution_options(postgresql_readonly=True) as connection:
        yield connection


@contextmanager
def transaction(connection: Connection, limits: Limits, *, past_policies: bool) -> Iterator[None]:
    """Hold a transaction with the time limit; it commits, or psycopg would prepare everything anew.

    With `past_policies` no policy filters: where one would, the statement is an error instead.
    """
    with connection.begin():
        settings = {"statement_timeout": f"{max(round(limits.timeout * 1000), 1)}ms"}
        if past_policies:
            settings["row_security"] = "off"
        set_locally(connection, settings)
        yield


def problem(error: DBAPIError, limits: Limits) -> str:
    """Return why a statement gave nothing, as a clause without a full stop.

    Raises DatabaseNotReadyError where the connection is gone: it would come back able to write.
    """
    if error.connection_invalidated:
        raise DatabaseNotReadyError(f"Lost the connection: {first_line(error)}.") from None
    if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
        return f"took longer than {limits.timeout:g} s"
    return first_line(error)


@dataclass
class Variant:
    """One way to run a statement. The statement alone is timed, with the rows it fetches."""

    connection: Connection
    statement: Select[Any]
    past_policies: bool
    taken: list[float] = field(default_factory=list)
    problem: str | None = None

    def call(self, limits: Limits) -> float | None:
        """Run once, and return the seconds; None where it failed, now or before."""
        if self.problem is not None:
            return None
        try:
            with transaction(self.connection, limits, past_policies=self.past_policies):
                began = time.perf_counter()
                self.connection.execute(self.statement).all()
                return time.perf_counter() - began
        except DBAPIError as error:
            self.problem = problem(error, limits)
            return None

    def timing(self) -> Timing:
        """Return the median; a way that failed has none, however often it went well before."""
        if self.problem is not None or not self.taken:
            return Timing(problem=self.problem)
        return Timing(round(statistics.median(self.taken) * 1000, 4), len(self.taken))


def take_turns(variants: list[Variant], limits: Limits) -> None:
    """Let all run `limits.rounds` times, one after the other, in an order that alternates.

    The first calls are thrown away. Slow statements run a few times only.
    """
    first = [variant.call(limits) for variant in variants]
    slow = any(seconds is None or seconds > _SLOW_SECONDS for seconds in first)
    warm_up, rounds = (0, min(limits.rounds, _SLOW_ROUNDS)) if slow else (_WARM_UP, limits.rounds)
    for turn in range(warm_up + rounds):
        for variant in variants if turn % 2 else variants[::-1]:
            seconds = variant.call(limits)
            if seconds is not None and turn >= warm_up:
                variant.taken.append(seconds)


def ratio(policy: Variant, by_hand: Variant | None) -> float | None:
    """Return the median of the rounds' ratios, or None where one of the two has no timing."""
    if by_hand is None or policy.problem or by_hand.problem:
        return None
    pairs = zip(policy.taken, by_hand.taken, strict=True)
    return round(statistics.median(mine / theirs for mine, theirs in pairs), 3)


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
    finders: Finders,
) -> Plan | None:
    """Return how the bound user's statement runs, or None where PostgreSQL cannot even plan it.

    It is executed, unless that takes too long: then the plan is what PostgreSQL would do.
    """
    for options in ("ANALYZE, TIMING OFF, VERBOSE, FORMAT JSON", "VERBOSE, FORMAT JSON"):
        try:
            with transaction(connection, limits, past_policies=False):
                found: Any = connection.execute(_Explain(statement, options)).scalar_one()
        except DBAPIError as error:
            problem(error, limits)
            continue
        return read_plan(list(walk(found[0]["Plan"])), facts, finders)
    return None


def read_plan(nodes: Sequence[Node], facts: Facts, finders: Finders) -> Plan:
    """Return what the nodes of a plan, outermost first, come to."""
    init_plans = [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]
    executed = "Actual Loops" in nodes[0]
    return Plan(
        nodes=tuple(node["Node Type"] for node in nodes if node not in init_plans),
        access=_access(nodes, facts, finders),
        identity=_asked(nodes, init_plans),
        sorts=any(node["Node Type"].endswith("Sort") for node in nodes),
        init_plan_loops=tuple(int(node["Actual Loops"]) for node in init_plans)
        if executed
        else None,
        rows_filtered=_rows_filtered(nodes) if executed else None,
    )


def _access(nodes: Sequence[Node], facts: Facts, finders: Finders) -> Access:
    read = [
        node for node in nodes if f"{node.get('Schema')}.{node.get('Relation Name')}" in facts.parts
    ]
    if not read:
        return "no table"
    if any("Seq Scan" in node["Node Type"] for node in read):
        return "whole table"
    for access, columns in finders.items():
        if columns and all(any(_compares(node, column) for column in columns) for node in read):
            return access
    return "another index"


def _compares(node: Node, column: str) -> bool:
    """Return whether the column stands in a condition that an index fulfils."""
    name = re.escape(sql.name(column))
    conditions = " ".join(str(node.get(kind, "")) for kind in _CONDITIONS)
    return re.search(rf'(?<![\w"]){name}(?![\w"])', conditions) is not None


def _asked(nodes: Sequence[Node], init_plans: Sequence[Node]) -> Asked:
    if any(asks_each_row(node) for node in nodes if node not in init_plans):
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
