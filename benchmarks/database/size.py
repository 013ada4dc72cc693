"""Measure every operation in every variant at one size of the table."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.database.contestant import WAYS, Contestant, Way, ways_of
from benchmarks.database.measure import Measurement, Pace, measure_operation
from benchmarks.database.operations import OPERATIONS, WrongRowsError
from benchmarks.database.plans import PlanShape, RoundTrips, count_round_trips, plan_shapes
from benchmarks.database.schema import ROWS_PER_OWNER, Data, make_data
from benchmarks.database.variants import CannotRunError, Place, Variant, make_usable
from benchmarks.progress import tell
from benchmarks.server import create_database, drop_database, run

_BASE = "base"


@dataclass
class Size:
    """What was measured at one size; `failures` say by variant why it has no figures."""

    rows: int
    measurements: list[Measurement] = field(default_factory=list)
    plans: dict[str, list[PlanShape]] = field(default_factory=dict)
    round_trips: dict[str, RoundTrips] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"owners": self.rows // ROWS_PER_OWNER, **asdict(self)}


def measure_size(
    server: URL, rows: int, variants: Sequence[Variant], pace: Pace, ways: Sequence[Way] = WAYS
) -> Size:
    """Make `rows` rows, let all `variants` take turns on copies of them, and remove everything.

    A package that fails or returns wrong rows is left out, with the reason; anything else that
    does, raises what it raised.
    """
    size = Size(rows)
    tell(f"{rows:,} rows: making them")
    data = make_data(server, _BASE, rows)
    try:
        make_usable(server.set(database=_BASE))
        with _contestants(server, data, variants, size) as contestants:
            _measure(contestants, size, pace, ways)
    finally:
        for name in (_BASE, *(variant.database for variant in variants)):
            drop_database(server, name)
    return size


@contextmanager
def _contestants(
    server: URL, data: Data, variants: Sequence[Variant], size: Size
) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        contestants = []
        for variant in variants:
            tell(f"{data.rows:,} rows: {variant.name}")
            place = Place(create_database(server, variant.database, template=_BASE), data.user)
            owner = create_engine(
                place.owner_url, poolclass=NullPool, isolation_level="AUTOCOMMIT"
            ).connect()
            stack.enter_context(owner)
            try:
                variant.set_up(place)
                runner = variant.start(place)
                stack.callback(runner.engine.dispose)
                contestant = Contestant(variant, place, runner, data, owner)
                contestant.try_out()
            except (CannotRunError, WrongRowsError, SQLAlchemyError) as error:
                if variant.package is None:
                    raise
                size.failures[variant.name] = f"{type(error).__name__}: {error}"
                continue
            size.plans[variant.name] = plan_shapes(contestant)
            size.round_trips[variant.name] = count_round_trips(contestant)
            contestants.append(contestant)
        yield contestants


def _measure(contestants: list[Contestant], size: Size, pace: Pace, ways: Sequence[Way]) -> None:
    for operation in OPERATIONS:
        for way in ways_of(operation):
            if way not in ways:
                continue
            tell(f"{size.rows:,} rows: {operation.name}, {way}")
            size.measurements += measure_operation(contestants, operation, way, pace)
            if operation.writes:
                for contestant in contestants:
                    run(contestant.place.owner_url, "VACUUM item")
