"""The database level of `scripts/bench`."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.database.goals import judge
from benchmarks.database.measure import Pace
from benchmarks.database.size import Size, measure_size
from benchmarks.database.variants import ESSENTIAL, OWN, CannotRunError, Variant
from benchmarks.machine import describe_machine, on_one_core
from benchmarks.packages import DISTRIBUTIONS, load
from benchmarks.progress import tell
from benchmarks.server import SETTINGS, private_server

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
ROUNDS = 60
QUICK_SIZES = (10_000,)
QUICK_ROUNDS = 6

METHOD = (
    "Every variant has a copy of the same database and one connection. In each round every variant"
    " runs a block of calls, in an order drawn anew; the first calls are thrown away, and every"
    " result is checked. `statement` is one statement in a transaction that has begun and carries"
    " its identity, prepared by psycopg as is its default; `unprepared` is the same with"
    " prepare_threshold=None, as behind a pooler, or in an application whose transactions end with"
    " ROLLBACK, after which psycopg prepares anew; `transaction` is a session, its identity, BEGIN,"
    " the statement and COMMIT. What is written is undone outside of what is timed, and VACUUM"
    " follows. Client and server share one core where the system can hold them to it, so that no"
    " time goes into waking another; one waits for the other anyhow. `ratio` is the median of the"
    " rounds' ratios of block medians, variant to floor; `ratio_low` and `ratio_high` are its 95 %"
    " confidence interval."
)


def add_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the database level")
    group.add_argument(
        "--rows", type=int, nargs="+", metavar="N", help=f"sizes of the table (default: {SIZES})"
    )
    group.add_argument(
        "--large", action="store_true", help=f"{LARGE:,} rows as well (20 GB of disk)"
    )
    group.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help=f"blocks of {Pace.repeat} calls of everything in each variant (default: {ROUNDS})",
    )


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    sizes = arguments.rows or list(QUICK_SIZES if arguments.quick else SIZES)
    if arguments.large:
        sizes.append(LARGE)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    return measure_sizes(sizes, Pace(rounds))


def measure_sizes(sizes: Sequence[int], pace: Pace) -> dict[str, Any]:
    """Measure at each size, the largest in the variants only that the goals are about."""
    variants, missing = _all_variants()
    packages = [variant.name for variant in variants if variant.package]
    began = time.monotonic()
    with on_one_core() as one_core, private_server() as server:
        description = describe_machine(server, SETTINGS)
        measured = [
            measure_size(server, rows, ESSENTIAL if rows >= LARGE else variants, pace)
            for rows in sorted(set(sizes))
        ]
    return {
        "level": "database",
        **description,
        "method": METHOD,
        "one_core": one_core,
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "variants": [
            *(_described(variant, measured) for variant in variants),
            *({"name": name, "runs": False, "why_not": why} for name, why in missing.items()),
        ],
        "goals": [asdict(goal) for goal in judge(measured, packages)],
        "sizes": [size.as_json() for size in measured],
    }


def _all_variants() -> tuple[list[Variant], dict[str, str]]:
    variants = list(OWN)
    missing = {}
    for distribution in DISTRIBUTIONS:
        try:
            variants.append(load(distribution))
        except CannotRunError as error:
            tell(f"{distribution}: {error}")
            missing[distribution] = str(error)
    return variants, missing


def _described(variant: Variant, sizes: Sequence[Size]) -> dict[str, Any]:
    failures = {f"{size.rows:,} rows": size.failures.get(variant.name) for size in sizes}
    told = [f"{rows}: {why}" for rows, why in failures.items() if why]
    return {
        "name": variant.name,
        "description": variant.description,
        "version": variant.package,
        "floor": variant.floor,
        "runs": not told,
        "why_not": "; ".join(told) or None,
    }


def summary(results: dict[str, Any]) -> str:
    """Return the goals as lines that a person reads."""
    lines = [
        f"{'met' if goal['met'] else 'MISSED':7}{'' if goal['clear'] else '~':2}"
        f"{goal['value']:<8}at most {goal['limit']:<6}{goal['goal']} ({goal['where']})"
        for goal in results["goals"]
    ]
    return "\n".join([*lines, "~ the interval holds the limit: another run may judge otherwise"])
