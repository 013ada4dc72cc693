"""The part about published packages, and the plans of everybody who takes part."""

from collections.abc import Callable
from textwrap import shorten
from typing import Any

from benchmarks.database.variants import FLOOR, HEDGEROW_PLAIN
from benchmarks.page.database import READS, found_at, fullest_size
from benchmarks.page.words import count, enumeration, ratio, span
from scripts._generated import table


def is_package(variant: dict[str, Any]) -> bool:
    return bool(variant.get("version")) or "floor" not in variant


def _packages(results: dict[str, Any]) -> str:
    size = fullest_size(results)
    return "\n".join(
        _package(variant, size) for variant in results["variants"] if is_package(variant)
    )


def _package(variant: dict[str, Any], size: dict[str, Any]) -> str:
    name = variant["name"]
    told = [f"* **{name}**" + (f" {variant['version']}" if variant.get("version") else "")]
    if variant.get("description"):
        told.append(f", used so: {variant['description']}")
    told.append(".")
    if not variant["runs"]:
        why = shorten(variant["why_not"], 400, placeholder=" ...")
        told.append(f" Left out. {why}")
    if name in size["plans"]:
        told.append(
            f" Every row that it returned or changed was the right one. {_plan(name, size)}"
        )
        trips = size["round_trips"]
        extra = trips[name]["transaction"] - trips[FLOOR.name]["transaction"]
        told.append(f" Extra round trips of a transaction: {extra}.")
        for way in ("statement", "transaction"):
            told.append(f" {_against_hedgerow(name, way, size)}")
    return "".join(told)


def _plan(name: str, size: dict[str, Any]) -> str:
    vain = {plan["operation"]: plan for plan in size["plans"][name] if not plan["owner_index"]}
    if not vain:
        return "Its reads go to the owner's rows through the index."
    most = max(plan["rows_filtered"] for plan in vain.values())
    return (
        f"It scans: in {enumeration(list(vain))} the owner is no index condition, and up to"
        f" {count(most)} rows are read in vain."
    )


def _against_hedgerow(name: str, way: str, size: dict[str, Any]) -> str:
    found = found_at(size, way)
    ratios = [
        found[operation, name]["ratio"] / found[operation, HEDGEROW_PLAIN.name]["ratio"]
        for operation in READS
    ]
    return f"A read ({way}) takes {span(ratios, ratio)} times what Hedgerow, plain, takes."


def _plans(results: dict[str, Any]) -> str:
    size = fullest_size(results)
    rows = [
        (
            "variant",
            "owner is an index condition",
            "rows read in vain, at most",
            "runs of each InitPlan, at most",
            "round trips of a transaction",
        )
    ]
    for name, plans in size["plans"].items():
        good = [plan["operation"] for plan in plans if plan["owner_index"]]
        runs: list[int] = max((plan["init_plans"] for plan in plans), default=[])
        rows.append(
            (
                name,
                "in every read" if len(good) == len(plans) else enumeration(good) or "in none",
                count(max(plan["rows_filtered"] for plan in plans)),
                ", ".join(map(str, runs)) or "none",
                f"{size['round_trips'][name]['transaction']}",
            )
        )
    looked_at = enumeration([plan["operation"] for plan in size["plans"][FLOOR.name]])
    return f"Plans of {looked_at}, {count(size['rows'])} rows.\n\n{table(rows)}"


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {"packages": _packages, "plans": _plans}
