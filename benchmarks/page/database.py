"""The parts about single statements: tables of every way of counting, sizes, and the check."""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.database.variants import CONTROL, FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED
from benchmarks.page.words import count, picture, ratio, span, time
from scripts._generated import table

ESSENTIAL = (FLOOR.name, CONTROL.name, HEDGEROW_PLAIN.name, HEDGEROW_SIGNED.name)
READS = ("newest 20", "count", "get by id", "search")


def fullest_size(results: dict[str, Any]) -> dict[str, Any]:
    """Return the largest of the sizes at which the most variants were measured."""
    sizes: list[dict[str, Any]] = results["sizes"]
    return max(sizes, key=lambda size: (len(size["plans"]), size["rows"]))


def found_at(size: dict[str, Any], way: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the measurements of one way of counting, by operation and variant."""
    return {
        (one["operation"], one["variant"]): one for one in size["measurements"] if one["way"] == way
    }


def operations(size: dict[str, Any], way: str) -> list[str]:
    return list(dict.fromkeys(operation for operation, _ in found_at(size, way)))


def is_floor(variant: dict[str, Any]) -> bool:
    return bool(variant.get("floor") == variant["name"])


def _variants(results: dict[str, Any]) -> str:
    return "\n".join(
        f"* **{one['name']}**: {one['description']}."
        for one in results["variants"]
        if "floor" in one and not one["version"]
    )


def _way(way: str, results: dict[str, Any]) -> str:
    size = fullest_size(results)
    measured = dict.fromkeys(variant for _, variant in found_at(size, way))
    floors = {one["name"]: one.get("floor") for one in results["variants"]}
    others = [name for name in measured if name not in ESSENTIAL and floors[name] == FLOOR.name]
    everybody = [name for name in measured if floors[name] != FLOOR.name]
    groups = {
        "Hedgerow beside the floor:": [name for name in ESSENTIAL if name in measured],
        "Other ways, beside the same floor:": others,
        "An admin, over everybody's rows:": everybody,
    }
    told = [
        f"{count(size['rows'])} rows of {count(size['owners'])} owners. Each cell: median / 95th"
        " percentile, in microseconds; the ratio to the floor in bold.",
        picture(f"ratios-{way}.svg", f"Ratios to the floor, {way}"),
    ]
    for title, names in groups.items():
        if names:
            told += [title, _table(found_at(size, way), names, floors)]
    return "\n\n".join(told)


def _table(
    found: dict[tuple[str, str], dict[str, Any]],
    names: list[str],
    floors: dict[str, str | None],
) -> str:
    rows = [("operation", *names)]
    for operation in dict.fromkeys(operation for operation, _ in found):
        cells = []
        for name in names:
            one = found[operation, name]
            times = f"{time(one['median_us'])} / {time(one['p95_us'])}"
            against = "" if floors[name] == name else f" · **{ratio(one['ratio'])}**"
            cells.append(times + against)
        rows.append((operation, *cells))
    return table(rows)


def _identity(results: dict[str, Any]) -> str:
    """Write what the check of the identity adds to a read, in microseconds."""
    size = fullest_size(results)
    told = []
    for way in ("statement", "unprepared"):
        found = found_at(size, way)
        rows: list[tuple[str, ...]] = [("read", "floor, µs", "plain adds, µs", "signed adds, µs")]
        for operation in READS:
            floor = found[operation, FLOOR.name]["median_us"]
            added = [_added(found[operation, name], floor) for name in ESSENTIAL[2:]]
            rows.append((operation, time(floor), *(f"{each:.1f}" for each in added)))
        spans = [
            span([_added(found[one, name], found[one, FLOOR.name]["median_us"]) for one in READS],
                 "{:.1f}".format)
            for name in ESSENTIAL[2:]
        ]  # fmt: skip
        told += [
            f"`{way}`, {count(size['rows'])} rows: to a read, a plain identity adds {spans[0]} µs,"
            f" a signed one {spans[1]} µs.",
            table(rows),
        ]
    return "\n\n".join(told)


def _added(one: dict[str, Any], floor: float) -> float:
    return float((one["ratio"] - 1) * floor)


def _sizes(results: dict[str, Any]) -> str:
    sizes = sorted(results["sizes"], key=lambda size: int(size["rows"]))
    if len(sizes) < 2:
        return f"Measured at one size: {count(sizes[0]['rows'])} rows."
    found = {size["rows"]: found_at(size, "statement") for size in sizes}
    rows = [("operation", "variant", *(f"{count(one)} rows, µs" for one in found), "last to first")]
    for operation in operations(sizes[0], "statement"):
        for name in (FLOOR.name, HEDGEROW_PLAIN.name, HEDGEROW_SIGNED.name):
            medians = [own[operation, name]["median_us"] for own in found.values()]
            growth = ratio(medians[-1] / medians[0])
            rows.append((operation, name, *map(time, medians), growth))
    return "\n\n".join([picture("growth.svg", "Time of a read by size of the table"), table(rows)])


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "variants": _variants,
    "statement": partial(_way, "statement"),
    "unprepared": partial(_way, "unprepared"),
    "transaction": partial(_way, "transaction"),
    "identity": _identity,
    "sizes": _sizes,
}
