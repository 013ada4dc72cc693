"""The parts about requests to the application."""

from collections.abc import Callable
from typing import Any

from benchmarks.http.data import VARIANTS
from benchmarks.page.words import count, interval, picture, time
from scripts._generated import table

WITHOUT, WITH = VARIANTS


def latencies(results: dict[str, Any]) -> list[float]:
    return sorted({one["latency_ms"] for one in results["measurements"]})


def picture_of(latency_ms: float) -> str:
    return f"requests-{latency_ms:g}ms.svg"


def away(latency_ms: float) -> str:
    return f"the database {latency_ms:g} ms away" if latency_ms else "no network in between"


def _requests(results: dict[str, Any]) -> str:
    told = [
        f"{count(results['rows'])} rows in the table. Requests a second, and milliseconds a"
        " request; each pair is without / with row security."
    ]
    for latency in latencies(results):
        title = away(latency)
        told += [
            f"### {title[0].upper()}{title[1:]}",
            picture(picture_of(latency), f"Requests a second, {title}"),
            _table([one for one in results["measurements"] if one["latency_ms"] == latency]),
        ]
    return "\n\n".join(told)


def _table(measurements: list[dict[str, Any]]) -> str:
    rows = [("route", "load", "connections", "requests/s", "ratio (interval)", "p50", "p99")]
    for one in measurements:
        rates, p50, p99 = (
            f"{spell(one['variants'][WITHOUT][name])} / {spell(one['variants'][WITH][name])}"
            for name, spell in (
                ("requests_per_second", count),
                ("p50_ms", time),
                ("p99_ms", time),
            )
        )
        where = (one["kind"], one["load"], f"{one['connections']}")
        rows.append((*where, rates, interval(one), p50, p99))
    return table(rows)


def _trips(results: dict[str, Any]) -> str:
    counted = {
        (one["kind"], one["load"], one["variant"]): one["round_trips"]
        for one in results["round_trips"]
    }
    if not counted:
        return "Round trips are counted with `--latency` only."
    fewest = min(one["connections"] for one in results["measurements"])
    medians = {
        (one["kind"], one["load"], one["latency_ms"]): one["variants"][WITH]["p50_ms"]
        for one in results["measurements"]
        if one["connections"] == fewest
    }
    shown = [f"p50 in ms, {away(latency)}" for latency in latencies(results)]
    rows = [("route", "load", "round trips without", "with", *shown)]
    for kind, load in dict.fromkeys((kind, load) for kind, load, _ in counted):
        trips = [f"{counted[kind, load, variant]}" for variant in VARIANTS]
        times = [time(medians[kind, load, latency]) for latency in latencies(results)]
        rows.append((kind, load, *trips, *times))
    return f"The times are with row security, connections: {fewest}.\n\n{table(rows)}"


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {"requests": _requests, "trips": _trips}
