"""A variant that runs: its calls are timed, every result is checked, every change is undone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, text

from benchmarks.database.operations import OPERATIONS, Call, Operation, WrongRowsError
from benchmarks.database.schema import ITEM, Data
from benchmarks.database.variants import Place, Runner, Variant

Way = Literal["statement", "unprepared", "transaction"]
WAYS: tuple[Way, ...] = ("statement", "unprepared", "transaction")
"""One statement in a transaction that has begun, prepared by psycopg as it does after some calls;
the same without, planned anew each time; and a whole transaction with one statement in it."""

_BEGIN = text("SELECT 1")
_SEES = text("SELECT count(*) FROM item WHERE id = :id")
_WRITES = (
    text("UPDATE item SET title = title WHERE id = :id"),
    text("DELETE FROM item WHERE id = :id"),
)


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
    def name(self) -> str:
        """The variant's name."""
        return self.variant.name

    def times(self, operation: Operation, way: Way, first: int, repeat: int) -> list[float]:
        """Run `repeat` calls from number `first` on; return seconds each, rows checked.

        The table is afterwards as it was: what is committed is undone, outside of what is timed.
        Nothing is rolled back: psycopg would forget its prepared statements.
        """
        by_hand = self.variant.hand_written
        calls = [operation.call(self.data, by_hand, n) for n in range(first, first + repeat)]
        if way == "transaction":
            taken = [self._whole(operation, call) for call in calls]
        else:
            taken = self._alone(operation, calls, prepared=way == "statement")
        if removed := [row for call in calls for row in call.removed]:
            self.owner.execute(insert(ITEM), removed)
        if added := [row for call in calls for row in call.added]:
            self.owner.execute(delete(ITEM).where(ITEM.c.id.in_(added)))
        return taken

    def _alone(self, operation: Operation, calls: list[Call], *, prepared: bool) -> list[float]:
        statement = operation.statement(self.variant.hand_written)
        taken = []
        with self.runner.transaction() as session:
            session.execute(_BEGIN)  # a driver sends BEGIN with its first statement
            driver: Any = session.connection().connection.driver_connection
            threshold = driver.prepare_threshold
            if not prepared:
                driver.prepare_threshold = None
            try:
                for call in calls:
                    began = time.perf_counter()
                    outcome = operation.run(session, statement, call)
                    taken.append(time.perf_counter() - began)
                    operation.check(call, outcome)
            finally:
                driver.prepare_threshold = threshold
        return taken

    def _whole(self, operation: Operation, call: Call) -> float:
        statement = operation.statement(self.variant.hand_written)
        began = time.perf_counter()
        with self.runner.transaction() as session:
            outcome = operation.run(session, statement, call)
        taken = time.perf_counter() - began
        operation.check(call, outcome)
        return taken

    def try_out(self) -> None:
        """Raise WrongRowsError unless every result is right and users are kept apart.

        The floor is not asked the latter: without a WHERE it reaches every row.
        """
        for operation in OPERATIONS:
            for way in ways_of(operation):
                self.times(operation, way, 0, 1)
        if self.variant.hand_written:
            return
        foreign = {"id": self.data.foreign}
        with self.runner.transaction() as session:
            reached = session.execute(_SEES, foreign).scalar_one()
            for statement in _WRITES:
                reached += session.execute(statement, foreign).rowcount  # type: ignore[attr-defined]
        if reached:
            raise WrongRowsError("another user's row is seen, changed or removed")
