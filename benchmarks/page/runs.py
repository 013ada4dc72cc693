"""Where, when and with what each level was measured, and its method."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.page.words import count
from scripts._generated import table

_UNKNOWN = "—"


def part(results: Mapping[str, dict[str, Any] | None]) -> str:
    told = [
        f"Not measured yet: `scripts/bench {level}` does it."
        for level, one in results.items()
        if one is None
    ]
    measured = {level: one for level, one in results.items() if one}
    if measured:
        rows = [row for facts in _FACTS for row in _side_by_side(facts, measured)]
        told.append(table([("", *measured), *rows]))
    told += [f"**The {level} level.** {one['method']}" for level, one in measured.items()]
    return "\n\n".join(told)


def _side_by_side(
    facts: Callable[[dict[str, Any]], Iterator[tuple[str, str]]],
    measured: dict[str, dict[str, Any]],
) -> Iterator[tuple[str, ...]]:
    found = [dict(facts(one)) for one in measured.values()]
    for name in dict.fromkeys(name for own in found for name in own):
        yield (name, *(own.get(name, _UNKNOWN) for own in found))


def _machine(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    machine = one["machine"]
    yield "date", one["date"]
    yield "commit", f"`{one['commit']}`" if one["commit"] else _UNKNOWN
    yield "processor", f"{machine['processor']}, {machine['cores']} cores"
    yield "memory", f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    yield "system", f"{machine['system']}, {machine['kernel']}"
    yield "load before it began", ", ".join(map(str, machine["load_average"]))
    yield "it took, in seconds", count(one["seconds"])


def _pace(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "sizes" in one:
        yield "rows", ", ".join(count(size["rows"]) for size in one["sizes"])
    elif "rows" in one:
        yield "rows", count(one["rows"])
    if "one_core" in one:
        yield "client and server on one core", "yes" if one["one_core"] else "no"
    if "cores" in one:
        own = one["cores"]["application"]
        yield "the application on a core of its own", "no" if own is None else "yes"
    for name, value in one["pace"].items():
        shown = ", ".join(f"{each:g}" for each in value) if isinstance(value, list) else f"{value}"
        yield _PACE.get(name, name), shown


def _versions(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from one["versions"].items()


def _settings(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in one["server_settings"].items():
        yield f"`{name}`", f"`{value}`"


_FACTS = (_machine, _pace, _versions, _settings)
_PACE = {
    "repeat": "calls a block",
    "warm_up": "calls thrown away",
    "seconds": "seconds a turn",
    "latencies_ms": "latencies, ms",
}
