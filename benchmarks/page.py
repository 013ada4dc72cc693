"""Writes the generated parts of docs/explanation/performance.md from benchmarks/results/.

The text around them is written by hand, and states no figure of its own.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from benchmarks.database.contestant import WAYS
from benchmarks.database.operations import OPERATIONS
from benchmarks.database.variants import FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED
from benchmarks.server import PROJECT
from scripts._generated import table, with_parts

RESULTS = PROJECT / "benchmarks" / "results"
PAGE = PROJECT / "docs" / "explanation" / "performance.md"
_LONGEST_LINE = 400
_WRITES = {operation.name for operation in OPERATIONS if operation.writes}
_GOALS = (
    (HEDGEROW_PLAIN, "statement", "read", 1.02),
    (HEDGEROW_PLAIN, "statement", "write", 1.05),
    (HEDGEROW_SIGNED, "statement", "read", 1.05),
    (HEDGEROW_SIGNED, "statement", "write", 1.08),
    (HEDGEROW_PLAIN, "transaction", "any", 1.10),
    (HEDGEROW_SIGNED, "transaction", "any", 1.15),
)
_GROWTH_GOAL, _REQUESTS_GOAL = 1.2, 0.98

Results = Mapping[str, Any]


def as_json(value: Any, indent: str = "") -> str:
    """Return JSON that has what fits into a line in one line, so that a change is easy to see."""
    line = json.dumps(value)
    if len(line) <= _LONGEST_LINE or not isinstance(value, dict | list):
        return line
    deeper = f"{indent} "
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {as_json(one, deeper)}" for key, one in value.items()]
    else:
        inner = [as_json(one, deeper) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(inner) + f"\n{indent}{closing}"


def read_results() -> dict[str, Results]:
    """Return the last full run of each level; `database-large` is one with ten million rows."""
    names = ("database", "database-large", "tenants", "http")
    return {name: json.loads((RESULTS / f"{name}.json").read_text()) for name in names}


def parts(results: Mapping[str, Results]) -> dict[str, Callable[[], str]]:
    """Return what writes each generated part of the page."""
    database, large, in_tenants, http = results.values()
    return {
        "goals": partial(goals, database),
        "runs": partial(_runs, results),
        "variants": partial(_variants, database),
        "ratios": partial(_ratios, database["sizes"][-1]),
        "growth": partial(_growth, database, large),
        "tenants": partial(tenants, in_tenants),
        "tenant-plans": partial(_tenant_plans, in_tenants),
        "requests": partial(requests, http),
    }


def write_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_parts(page, parts(read_results())), encoding="utf-8", newline="\n")


def goals(database: Results) -> str:
    """Return the worst ratio of each variant that has a goal, with its interval."""
    met = 0
    rows = [("variant", "what is measured", "goal: at most", "worst ratio", "found at")]
    for variant, way, kind, limit in _GOALS:
        found = [
            (one["ratio"], f"{one['operation']}, {size['rows']:,} rows", one)
            for size in database["sizes"]
            for one in size["measurements"]
            if (one["variant"], one["way"]) == (variant.name, way)
            and kind in ("any", "write" if one["operation"] in _WRITES else "read")
        ]
        _, where, worst = max(found, key=lambda one: one[0])
        met += worst["ratio"] <= limit
        rows.append((variant.name, f"{kind} {way}", f"{limit:g}", _interval(worst), where))
    return f"{met} of {len(_GOALS)} goals are met.\n\n{table(rows)}"


def _runs(results: Mapping[str, Results]) -> str:
    told = []
    for name, one in results.items():
        machine, memory = one["machine"], one["machine"]["memory_bytes"] / 2**30
        facts = (
            f"{one['pace']['rounds']} rounds",
            f"{machine['processor']}, {machine['cores']} cores, {memory:.0f} GiB",
            f"load {machine['load_average'][0]} before it began",
            machine["system"],
            *(f"{library} {version}" for library, version in one["versions"].items()),
            *(f"`{key}={value}`" for key, value in one["server_settings"].items()),
        )
        told.append(
            f"* **{name}** ({one['date'][:10]}, commit `{one['commit']}`): {'; '.join(facts)}."
        )
    return "\n".join(told)


def _variants(database: Results) -> str:
    size = database["sizes"][-1]
    rows = [("variant", "what it is", "owner index", "filtered", "InitPlan runs", "round trips")]
    for variant in database["variants"]:
        name, why_not = variant["name"], variant["why_not"]
        if why_not:
            rows.append((name, f"Left out. {why_not}", *("",) * 4))
            continue
        plans = size["plans"][name]
        rows.append(
            (
                f"{name} {variant['version'] or ''}",
                variant["description"],
                "yes" if all(plan["owner_index"] for plan in plans) else "no",
                f"{max(plan['rows_filtered'] for plan in plans):,}",
                ", ".join(map(str, max(plan["init_plans"] for plan in plans))),
                f"{size['round_trips'][name]['transaction']}",
            )
        )
    return table(rows)


def _found(size: Results, way: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the measurements of one way of counting, by operation and variant."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in size["measurements"]:
        if one["way"] == way:
            found.setdefault(one["operation"], {})[one["variant"]] = one
    return found


def _ratios(size: Results) -> str:
    rows: list[tuple[str, ...]] = []
    for way in WAYS:
        for operation, found in _found(size, way).items():
            floor, *others = found.values()
            rows = rows or [("", "operation", "floor, µs", *(one["variant"] for one in others))]
            ratios = (_ratio(one["ratio"]) for one in others)
            rows.append((way, operation, _time(floor["median_us"]), *ratios))
    return f"{size['rows']:,} rows of {size['owners']:,} owners.\n\n{table(rows)}"


def _growth(*runs: Results) -> str:
    names = (FLOOR.name, HEDGEROW_PLAIN.name, HEDGEROW_SIGNED.name)
    head = ["operation"]
    rows: dict[str, list[str]] = {}
    for run in runs:
        small, large = run["sizes"][0], run["sizes"][-1]
        head += [f"{name}, {large['rows']:,} to {small['rows']:,}" for name in names]
        after = _found(large, "statement")
        for operation, before in _found(small, "statement").items():
            rows.setdefault(operation, [operation]).extend(
                _ratio(after[operation][name]["median_us"] / before[name]["median_us"])
                for name in names
            )
    text = table([tuple(head), *map(tuple, rows.values())])
    return f"The goal is at most {_GROWTH_GOAL:g}.\n\n{text}"


def tenants(results: Results) -> str:
    """Return the ratios of each user who asks, to both ways of a hand."""
    floors = ("join", "array")
    policies = (HEDGEROW_PLAIN.name, HEDGEROW_SIGNED.name)
    against = [(floor, name) for floor in floors for name in policies]
    rows: list[tuple[str, ...]] = [
        (
            "tenants",
            "operation",
            *(f"{floor}, µs" for floor in floors),
            *(f"{name} to {floor}" for floor, name in against),
        )
    ]
    for user in results["users"]:
        found = {
            (one["operation"], one["floor"], one["variant"]): one for one in user["measurements"]
        }
        for operation in dict.fromkeys(one["operation"] for one in user["measurements"]):
            times = (_time(found[operation, one, one]["median_us"]) for one in floors)
            ratios = (_ratio(found[operation, *one]["ratio"]) for one in against)
            rows.append((f"{user['tenants']}", operation, *times, *ratios))
    of = ", ".join(f"{user['rows']:,}" for user in results["users"])
    return (
        f"{results['rows']:,} rows of {results['tenants']:,} tenants; the users see {of} of them."
        f"\n\n{table(rows)}"
    )


def _tenant_plans(results: Results) -> str:
    user = results["users"][1]
    rows = [("operation", "join", "array", "Hedgerow", "memberships read")]
    by_variant = [user["plans"][name] for name in ("join", "array", HEDGEROW_SIGNED.name)]
    for plans in zip(*by_variant, strict=True):
        asked = len(plans[-1]["init_plans"])
        nodes = (", ".join(plan["nodes"]) for plan in plans)
        rows.append((plans[0]["operation"], *nodes, f"{asked}"))
    return f"Of the user in {user['tenants']} tenants.\n\n{table(rows)}"


def requests(http: Results) -> str:
    cells: dict[str, list[str]] = {}
    heads: dict[str, None] = {}
    for one in http["measurements"]:
        heads[f"{one['latency_ms']:g} ms, {one['connections']}"] = None
        rates = [f"{each['requests_per_second']:,.0f}" for each in one["variants"].values()]
        told = f"{' / '.join(rates)} · **{_ratio(one['ratio'])}**"
        cells.setdefault(f"{one['kind']} {one['load']}", []).append(told)
    rows = [(route, *own) for route, own in cells.items()]
    worst = min(http["measurements"], key=lambda one: one["ratio"])
    return (
        f"{http['rows']:,} rows. The goal is a ratio of at least {_REQUESTS_GOAL:g}; the lowest is"
        f" {_interval(worst)}.\n\n{table([('route', *heads), *rows])}"
    )


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:,.0f}"


def _time(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _interval(one: Mapping[str, Any]) -> str:
    return f"{_ratio(one['ratio'])} ({_ratio(one['ratio_low'])} to {_ratio(one['ratio_high'])})"
