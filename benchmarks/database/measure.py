"""Time a statement in several variants that take turns, and check every result."""

import gc
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, NullPool, create_engine, delete, insert, text
from sqlalchemy.orm import Session

from benchmarks.database.operations import Asking, Call, Operation
from benchmarks.database.schema import ITEM, Data
from benchmarks.database.variants import Place, Runner, Variant

Way = Literal["statement", "unprepared", "transaction"]
WAYS: tuple[Way, ...] = ("statement", "unprepared", "transaction")
"""One statement in a transaction that has begun, prepared by psycopg as it does after some calls;
the same without, planned anew each time; and a whole transaction with one statement in it."""

_SECONDS = 2.0
"""What one statement in one variant may take in all, unless it is so slow that few calls do."""
_FEWEST_ROUNDS = 5


@dataclass(frozen=True)
class Pace:
    """How often a statement runs in each variant: `rounds` blocks of `repeat` calls.

    `warm_up` calls before are thrown away: psycopg prepares a statement after five, PostgreSQL
    settles on a plan after five more. Of bulk inserts a few do, for each is a thousand rows.
    """

    rounds: int
    repeat: int = 10
    warm_up: int = 15

    def bounded(self, seconds: float) -> "Pace":
        """Return the pace of a statement that takes so long: shorter blocks, then fewer."""
        calls = int(_SECONDS / seconds)
        return Pace(
            rounds=min(self.rounds, max(calls, _FEWEST_ROUNDS)),
            repeat=max(min(self.repeat, calls // self.rounds), 1),
            warm_up=min(self.warm_up, calls),
        )

    def of_bulk(self) -> "Pace":
        return Pace(max(self.rounds // 2, 1), repeat=1, warm_up=min(self.warm_up, 2))


def ways_of(operation: Operation) -> Sequence[Way]:
    """Return the ways in which an operation is measured; planning is nothing beside 1,000 rows."""
    return ("statement", "transaction") if operation.bulk else WAYS


@dataclass(frozen=True)
class Contestant:
    """A variant that runs, and the owner's connection that undoes what it commits."""

    variant: Variant
    place: Place
    runner: Runner
    data: Data
    owner: Connection

    @property
    def asking(self) -> Asking:
        return Asking(self.data, self.variant.everybody, self.variant.hand_written)

    def times(self, operation: Operation, way: Way, first: int, repeat: int) -> list[float]:
        """Run `repeat` calls from number `first` on; return seconds each, rows checked.

        The table is afterwards as it was: what is committed is undone, outside of what is timed.
        Nothing is rolled back, for then psycopg forgets the statements that it has prepared.
        """
        asking = self.asking
        calls = [operation.call(asking, number) for number in range(first, first + repeat)]
        if way == "transaction":
            taken = self._whole(operation, calls)
        else:
            taken = self._alone(operation, calls, prepared=way == "statement")
        self._undo(calls)
        return taken

    def _alone(self, operation: Operation, calls: list[Call], *, prepared: bool) -> list[float]:
        statement = operation.statement(self.asking)
        taken = []
        with self.runner.transaction() as session:
            session.execute(_BEGIN)  # a driver sends BEGIN with its first statement
            with nullcontext() if prepared else _unprepared(session):
                for call in calls:
                    began = time.perf_counter()
                    outcome = operation.run(session, statement, call)
                    taken.append(time.perf_counter() - began)
                    operation.check(call, outcome)
        return taken

    def _whole(self, operation: Operation, calls: list[Call]) -> list[float]:
        statement = operation.statement(self.asking)
        taken = []
        for call in calls:
            began = time.perf_counter()
            with self.runner.transaction() as session:
                outcome = operation.run(session, statement, call)
            taken.append(time.perf_counter() - began)
            operation.check(call, outcome)
        return taken

    def _undo(self, calls: list[Call]) -> None:
        removed = [row for call in calls for row in call.removed]
        if removed:
            self.owner.execute(insert(ITEM), removed)
        added = [row for call in calls for row in call.added]
        if added:
            self.owner.execute(delete(ITEM).where(ITEM.c.id.in_(added)))


_BEGIN = text("SELECT 1")


@contextmanager
def _unprepared(session: Session) -> Iterator[None]:
    driver: Any = session.connection().connection.driver_connection
    former, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = former


def owner_connection(place: Place) -> Connection:
    """Return a connection of the owner's on which each statement commits at once."""
    engine = create_engine(place.owner_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    return engine.connect()


@dataclass
class Samples:
    """Seconds of each call, by round."""

    rounds: list[list[float]] = field(default_factory=list)
    limit: int = 0
    repeat: int = 1

    @property
    def all(self) -> list[float]:
        return [each for block in self.rounds for each in block]


def take_turns(
    contestants: Sequence[Contestant],
    operation: Operation,
    way: Way,
    pace: Pace,
) -> dict[str, Samples]:
    """Return the samples of each variant.

    In each round every variant runs one block, in an order drawn anew, so that none always follows
    the same other one. Slow statements run less often.
    """
    drawn = random.Random(f"{operation.name} {way}")  # noqa: S311
    samples: dict[str, Samples] = {}
    for contestant in contestants:
        if operation.bulk:
            own = pace.of_bulk()
        else:
            # Twice, because a first call may be slow for want of anything in the cache.
            own = pace.bounded(min(contestant.times(operation, way, 0, 2)))
        contestant.times(operation, way, 2, own.warm_up)
        samples[contestant.variant.name] = Samples(limit=own.rounds, repeat=own.repeat)
    gc.collect()
    gc.disable()
    try:
        for turn in range(max(each.limit for each in samples.values())):
            for contestant in drawn.sample(contestants, len(contestants)):
                mine = samples[contestant.variant.name]
                if turn < mine.limit:
                    first = turn * mine.repeat
                    mine.rounds.append(contestant.times(operation, way, first, mine.repeat))
    finally:
        gc.enable()
    return samples
