"""The level of `scripts/bench` about tenants: a user's rows in one, in some and in many."""

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import URL, NullPool, create_engine

from benchmarks.database.measure import Pace, sum_up, take_turns
from benchmarks.database.variants import Place
from benchmarks.machine import describe_machine, held_to, tell, usable_cores
from benchmarks.server import create_database, drop_database, private_server, run
from benchmarks.tenants.contestant import VARIANTS, Contestant
from benchmarks.tenants.operations import OPERATIONS
from benchmarks.tenants.schema import TENANTS, Data, make_data

ROWS, QUICK_ROWS = 1_000_000, 20_000
ROUNDS, QUICK_ROUNDS = 40, 4
_BASE = "base"
_NOBODY = UUID(int=0)
_FLOORS = ("join", "array")


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    rows = max(arguments.rows or [QUICK_ROWS if arguments.quick else ROWS])
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    return measure_rows(rows, Pace(rounds))


def measure_rows(rows: int, pace: Pace) -> dict[str, Any]:
    """Measure every variant in a database of its own, for each of the users who ask."""
    began = time.monotonic()
    core = set(sorted(usable_cores())[-1:])
    with held_to(core), private_server() as server:
        description = describe_machine(server)
        tell(f"{rows:,} rows of {TENANTS:,} tenants: making them")
        who = make_data(server, _BASE, rows)
        with _places(server) as places:
            users = [_measure_user(places, data, pace) for data in who]
    return {
        "level": "tenants",
        **description,
        "one_core": bool(core),
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "rows": rows,
        "tenants": TENANTS,
        "variants": [{"name": one.name, "description": one.description} for one in VARIANTS],
        "users": users,
    }


@contextmanager
def _places(server: URL) -> Iterator[dict[str, URL]]:
    """Yield a copy of the data for each variant, protected as it says."""
    places = {}
    for variant in VARIANTS:
        name = variant.name.replace(" ", "_")
        url = places[variant.name] = create_database(server, name, template=_BASE)
        variant.set_up(Place(url, _NOBODY))
    yield places
    for url in places.values():
        drop_database(server, str(url.database))


def _measure_user(places: dict[str, URL], data: Data, pace: Pace) -> dict[str, Any]:
    with ExitStack() as stack:
        contestants = []
        for variant in VARIANTS:
            place = Place(places[variant.name], data.user)
            options: Any = {"poolclass": NullPool, "isolation_level": "AUTOCOMMIT"}
            owner = stack.enter_context(create_engine(place.owner_url, **options).connect())
            runner = variant.start(place)
            stack.callback(runner.engine.dispose)
            contestants.append(Contestant(variant, runner, data, owner))
            contestants[-1].try_out()
        names = [one.name for one in contestants]
        measurements = []
        for operation in OPERATIONS:
            tell(f"a user in {data.tenants}: {operation.name}")
            rounds = take_turns(contestants, operation, "statement", pace)
            for floor in _FLOORS:
                for one in sum_up(names, rounds, operation.name, "statement", names.index(floor)):
                    measurements.append({"floor": floor, **asdict(one)})
            for url in places.values() if operation.writes else ():
                run(url, "VACUUM document")
        return {
            "tenants": data.tenants,
            "rows": data.seen,
            "measurements": measurements,
            "plans": {one.name: [asdict(plan) for plan in one.plans()] for one in contestants},
        }
