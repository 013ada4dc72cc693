"""The database level of `scripts/bench`."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.database.contestant import WAYS, Contestant, Way, ways_of
from benchmarks.database.measure import Measurement, Pace, measure_operation
from benchmarks.database.operations import OPERATIONS, WrongRowsError
from benchmarks.database.plans import PlanShape, count_round_trips, plan_shapes
from benchmarks.database.schema import ROWS_PER_OWNER, Data, make_data
from benchmarks.database.variants import ESSENTIAL, OWN, CannotRunError, Place, Variant, make_usable
from benchmarks.machine import describe_machine, held_to, tell, usable_cores
from benchmarks.packages import DISTRIBUTIONS, load
from benchmarks.server import create_database, drop_database, private_server, run

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (10_000,)
ROUNDS, QUICK_ROUNDS = 60, 6
_BASE = "base"


@dataclass
class Size:
    """What was measured at one size; `failures` say by variant why it has no figures."""

    rows: int
    measurements: list[Measurement] = field(default_factory=list)
    plans: dict[str, list[PlanShape]] = field(default_factory=dict)
    round_trips: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    sizes = arguments.rows or (QUICK_SIZES if arguments.quick else SIZES)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    return measure_sizes(sizes, Pace(rounds))


def measure_sizes(sizes: Sequence[int], pace: Pace) -> dict[str, Any]:
    """Measure everything at the largest size; at the others only what shows how time grows."""
    variants, missing = list(OWN), []
    for distribution in DISTRIBUTIONS:
        try:
            variants.append(load(distribution))
        except CannotRunError as error:
            tell(f"{distribution}: {error}")
            missing.append({"name": distribution, "why_not": str(error)})
    began = time.monotonic()
    core = set(sorted(usable_cores())[-1:])
    with held_to(core), private_server() as server:
        description = describe_machine(server)
        measured = [
            measure_size(server, rows, ESSENTIAL, pace, ways=("statement",))
            for rows in sorted(set(sizes))[:-1]
        ]
        measured.append(measure_size(server, max(sizes), variants, pace))
    told = [
        {
            "name": variant.name,
            "description": variant.description,
            "version": variant.package,
            "why_not": measured[-1].failures.get(variant.name),
        }
        for variant in variants
    ]
    return {
        "level": "database",
        **description,
        "one_core": bool(core),
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "variants": [*told, *missing],
        "sizes": [{"owners": size.rows // ROWS_PER_OWNER, **asdict(size)} for size in measured],
    }


def measure_size(
    server: URL, rows: int, variants: Sequence[Variant], pace: Pace, ways: Sequence[Way] = WAYS
) -> Size:
    """Measure on copies of `rows` rows; a package that fails is left out, other variants raise."""
    size = Size(rows)
    tell(f"{rows:,} rows: making them")
    data = make_data(server, _BASE, rows)
    try:
        make_usable(server.set(database=_BASE))
        with _contestants(server, data, variants, size) as contestants:
            for operation in OPERATIONS:
                for way in (way for way in ways_of(operation) if way in ways):
                    tell(f"{rows:,} rows: {operation.name}, {way}")
                    size.measurements += measure_operation(contestants, operation, way, pace)
                    for contestant in contestants if operation.writes else ():
                        run(contestant.place.owner_url, "VACUUM item")
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
            options: Any = {"poolclass": NullPool, "isolation_level": "AUTOCOMMIT"}
            owner = stack.enter_context(create_engine(place.owner_url, **options).connect())
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
