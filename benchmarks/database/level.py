"""The database level of `scripts/bench`."""

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.database.contestant import WAYS
from benchmarks.database.measure import Pace
from benchmarks.database.size import Size, measure_size
from benchmarks.database.variants import ESSENTIAL, OWN, CannotRunError, Variant
from benchmarks.goals import judge_statements
from benchmarks.machine import describe_machine, held_to, usable_cores
from benchmarks.packages import DISTRIBUTIONS, load
from benchmarks.progress import tell
from benchmarks.server import SETTINGS, private_server

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (10_000,)
ROUNDS, QUICK_ROUNDS = 60, 6

METHOD = (
    "Every variant has a copy of the same database and one connection. In each round every variant"
    " runs a block of calls, in a random order; the first calls are thrown away, and every result"
    " is checked. What is written is undone outside of what is timed, and VACUUM follows. Client"
    " and server share one core where the system allows it. A ratio is the median of the rounds'"
    " ratios of block medians, variant to floor."
)


def measure(arguments: Namespace) -> dict[str, Any]:
    """Run the level and return its results, as JSON takes them."""
    sizes = arguments.rows or (QUICK_SIZES if arguments.quick else SIZES)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    return measure_sizes(sizes, Pace(rounds))


def measure_sizes(sizes: Sequence[int], pace: Pace) -> dict[str, Any]:
    """Measure everything at the largest size; at the others only what shows how time grows."""
    variants, missing = _all_variants()
    began = time.monotonic()
    core = set(sorted(usable_cores())[-1:])
    with held_to(core), private_server() as server:
        description = describe_machine(server, SETTINGS)
        measured = [
            measure_size(server, rows, ESSENTIAL, pace, ways=("statement",))
            for rows in sorted(set(sizes))[:-1]
        ]
        measured.append(measure_size(server, max(sizes), variants, pace, WAYS))
    packages = [variant.name for variant in variants if variant.package]
    goals = judge_statements({size.rows: size.measurements for size in measured}, packages)
    return {
        "level": "database",
        **description,
        "method": METHOD,
        "one_core": bool(core),
        "pace": asdict(pace),
        "seconds": round(time.monotonic() - began),
        "variants": [
            *(_described(variant, measured[-1]) for variant in variants),
            *({"name": name, "why_not": why} for name, why in missing.items()),
        ],
        "goals": [asdict(goal) for goal in goals],
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


def _described(variant: Variant, size: Size) -> dict[str, Any]:
    return {
        "name": variant.name,
        "description": variant.description,
        "version": variant.package,
        "why_not": size.failures.get(variant.name),
    }
