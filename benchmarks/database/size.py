"""Measure every operation in every variant at one size of the table."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.database.isolation import check_isolation
from benchmarks.database.measure import (
    Contestant,
    Pace,
    owner_connection,
    take_turns,
    ways_of,
)
from benchmarks.database.measurement import Measurement, summarize
from benchmarks.database.operations import OPERATIONS, WrongRowsError
from benchmarks.database.plans import PlanShape, plan_shapes
from benchmarks.database.round_trips import RoundTrips, count_round_trips
from benchmarks.database.schema import ROWS_PER_OWNER, Data, make_data
from benchmarks.database.variants import CannotRunError, Place, Variant
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
        return asdict(self) | {"owners": self.rows // ROWS_PER_OWNER}


def measure_size(server: URL, rows: int, variants: Sequence[Variant], pace: Pace) -> Size:
    """Make `rows` rows, let all `variants` take turns on copies of them, and remove everything.

    A package that fails or returns wrong rows is left out, with the reason; anything else that
    does, raises what it raised.
    """
    size = Size(rows)
    tell(f"{rows:,} rows: making them")
    data = make_data(server, _BASE, rows)
    try:
        with _contestants(server, data, variants, size) as contestants:
            _measure(contestants, size, pace)
    finally:
        for name in (_BASE, *{variant.database for variant in variants}):
            drop_database(server, name)
    return size


@contextmanager
def _contestants(
    server: URL, data: Data, variants: Sequence[Variant], size: Size
) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        contestants = []
        ready: set[str] = set()
        for variant in variants:
            tell(f"{data.rows:,} rows: {variant.name}")
            place = Place(server.set(database=variant.database), data.user)
            try:
                if variant.database not in ready:
                    create_database(server, variant.database, template=_BASE)
                    ready.add(variant.database)
                    variant.set_up(place)
                runner = variant.start(place)
                stack.callback(runner.engine.dispose)
                owner = stack.enter_context(owner_connection(place))
                contestant = Contestant(variant, place, runner, data, owner)
                _try_out(contestant)
            except (CannotRunError, WrongRowsError, SQLAlchemyError) as error:
                if variant.package is None:
                    raise
                size.failures[variant.name] = f"{type(error).__name__}: {error}"
                continue
            size.plans[variant.name] = plan_shapes(contestant)
            size.round_trips[variant.name] = count_round_trips(contestant)
            contestants.append(contestant)
        yield contestants


def _try_out(contestant: Contestant) -> None:
    """Raise WrongRowsError unless the variant does everything, and keeps users apart."""
    for operation in OPERATIONS:
        for way in ways_of(operation):
            contestant.times(operation, way, 0, 1)
    check_isolation(contestant)


def _measure(contestants: list[Contestant], size: Size, pace: Pace) -> None:
    variants = [contestant.variant for contestant in contestants]
    for operation in OPERATIONS:
        for way in ways_of(operation):
            tell(f"{size.rows:,} rows: {operation.name}, {way}")
            samples = take_turns(contestants, operation, way, pace)
            size.measurements += summarize(samples, variants, operation.name, way)
            if operation.writes:
                for place in {each.place.owner_url: each.place for each in contestants}.values():
                    run(place.owner_url, "VACUUM item")
