"""Time the two spellings of a statement in turns."""

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError

from hedgerow.bench.connections import Limits, problem, reading
from hedgerow.bench.model import Timing

_SLOW_SECONDS = 0.1
_SLOW_ROUNDS = 5
_WARM_UP = 12
"""psycopg prepares a statement after five calls, PostgreSQL settles on a plan after five more."""


@dataclass
class Contestant:
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
            with reading(self.connection, limits, past_policies=self.past_policies):
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


def take_turns(contestants: list[Contestant], limits: Limits) -> None:
    """Let all run `limits.rounds` times, one after the other, in an order that alternates.

    The first calls are thrown away. Slow statements run a few times only.
    """
    first = [contestant.call(limits) for contestant in contestants]
    slow = any(seconds is None or seconds > _SLOW_SECONDS for seconds in first)
    warm_up, rounds = (0, min(limits.rounds, _SLOW_ROUNDS)) if slow else (_WARM_UP, limits.rounds)
    for turn in range(warm_up + rounds):
        for contestant in contestants if turn % 2 else contestants[::-1]:
            seconds = contestant.call(limits)
            if seconds is not None and turn >= warm_up:
                contestant.taken.append(seconds)


def ratio(policy: Contestant, by_hand: Contestant | None) -> float | None:
    """Return the median of the rounds' ratios, or None where one of the two has no timing."""
    if by_hand is None or policy.problem or by_hand.problem:
        return None
    pairs = zip(policy.taken, by_hand.taken, strict=True)
    return round(statistics.median(mine / theirs for mine, theirs in pairs), 3)
