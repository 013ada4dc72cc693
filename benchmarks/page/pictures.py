"""The page's pictures, by the name of the file."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from benchmarks.database.variants import (
    CONTROL,
    FLOOR,
    HEDGEROW_ADMIN,
    HEDGEROW_PLAIN,
    HEDGEROW_SIGNED,
    OR_BARE,
    OR_WRAPPED,
)
from benchmarks.page.database import READS, found_at, fullest_size, is_floor, operations
from benchmarks.page.http import WITH, WITHOUT, away, latencies, picture_of
from benchmarks.page.svg import LogScale, Picture, log_scale
from benchmarks.page.words import count, ratio

_COLORS = {CONTROL.name: 0, HEDGEROW_PLAIN.name: 1, HEDGEROW_SIGNED.name: 2, HEDGEROW_ADMIN.name: 3}
_OTHERS = 4
_LINES = {
    FLOOR.name: 0,
    HEDGEROW_PLAIN.name: 1,
    HEDGEROW_SIGNED.name: 2,
    OR_BARE.name: 3,
    OR_WRAPPED.name: 4,
}


def draw(database: dict[str, Any] | None, http: dict[str, Any] | None) -> dict[str, str]:
    """Return the text of each picture that these results have something for."""
    pictures = {}
    if database:
        for way in ("statement", "unprepared", "transaction"):
            pictures[f"ratios-{way}.svg"] = _ratios(database, way)
        if len(database["sizes"]) > 1:
            pictures["growth.svg"] = _growth(database)
    if http:
        for latency in latencies(http):
            pictures[picture_of(latency)] = _requests(http, latency)
    return {name: picture.as_text() for name, picture in pictures.items()}


def _ratios(results: dict[str, Any], way: str) -> Picture:
    """Draw a bar from 1 to each ratio, with its interval, by operation."""
    size = fullest_size(results)
    floors = {one["name"] for one in results["variants"] if is_floor(one)}
    picture = Picture(
        f"Ratios to the floor, {way}, {count(size['rows'])} rows",
        "A bar for each variant and operation, from 1 to its ratio, on a logarithmic scale.",
    )
    found = [one for one in found_at(size, way).values() if one["variant"] not in floors]
    ends = [one[name] for one in found for name in ("ratio", "ratio_low", "ratio_high")]
    scale = log_scale([1, *ends], 236, 690)
    picture.write(12, 20, picture.title, style="strong")
    y = 42.0
    for operation in operations(size, way):
        mine = [one for one in found if one["operation"] == operation]
        picture.write(12, y, operation, style="strong")
        _axis(picture, scale, y + 17, y + 30 + 16 * len(mine))
        y += 38
        for one in mine:
            _ratio_bar(picture, scale, y, one)
            y += 16
        y += 14
    return picture


def _axis(picture: Picture, scale: LogScale, top: float, bottom: float) -> None:
    for mark in scale.marks:
        x = scale.at(mark)
        picture.line((x, top + 8), (x, bottom), "axis" if mark == 1 else "grid")
        picture.write(x, top, f"{mark:,g}", anchor="middle", style="faint")


def _ratio_bar(picture: Picture, scale: LogScale, y: float, one: dict[str, Any]) -> None:
    names = ("ratio", "ratio_low", "ratio_high")
    value, low, high = (scale.at(one[name]) for name in names)
    base = scale.at(1)
    color = _COLORS.get(one["variant"], _OTHERS)
    picture.write(228, y, one["variant"], anchor="end")
    picture.bar(min(base, value), y - 5, abs(value - base), 10, color)
    picture.line((low, y), (high, y), "whisker")
    picture.write(max(base, value, high) + 5, y, ratio(one["ratio"]), style="faint")


def _growth(results: dict[str, Any]) -> Picture:
    """Draw the time of each read over the size of the table, a panel for each."""
    picture = Picture(
        "One user's reads, by size of the table",
        "A panel for each read: microseconds a statement over the rows of the table, both"
        " logarithmic. A flat line is a time that does not grow with the table.",
    )
    sizes = sorted(results["sizes"], key=lambda size: int(size["rows"]))
    found = {size["rows"]: found_at(size, "statement") for size in sizes}
    points = {
        (operation, name): [
            (rows, own[operation, name]["median_us"])
            for rows, own in found.items()
            if (operation, name) in own
        ]
        for operation in READS
        for name in _LINES
    }
    times = [time for line in points.values() for _, time in line]
    picture.write(12, 20, f"{picture.title}: microseconds a statement", style="strong")
    picture.legend(42, list(_LINES.items()))
    for number, operation in enumerate(READS):
        left, top = 64 + 374 * (number % 2), 90 + 232 * (number // 2)
        across = LogScale(min(found), max(found), left + 12, left + 280)
        up = log_scale(times, top + 160, top)
        picture.write(left - 52, top - 18, operation, style="strong")
        for mark in up.marks:
            picture.line((left, up.at(mark)), (left + 292, up.at(mark)), "grid")
            picture.write(left - 6, up.at(mark), f"{mark:,g}", anchor="end", style="faint")
        for rows in found:
            picture.write(across.at(rows), top + 176, f"{rows:,}", anchor="middle", style="faint")
        for name, color in _LINES.items():
            line = points[operation, name]
            picture.path([(across.at(rows), up.at(time)) for rows, time in line], color)
    return picture


def _requests(results: dict[str, Any], latency_ms: float) -> Picture:
    """Draw requests a second with and without, by load and number of connections."""
    picture = Picture(
        f"Requests a second, {away(latency_ms)}",
        "Pairs of bars, without and with row security, by kind of route, load and connections.",
    )
    mine = [one for one in results["measurements"] if one["latency_ms"] == latency_ms]
    most = max(each["requests_per_second"] for one in mine for each in one["variants"].values())
    picture.write(12, 20, picture.title, style="strong")
    picture.legend(42, [("without row security", 0), ("with", 1)])
    for column, kind in enumerate(dict.fromkeys(one["kind"] for one in mine)):
        y = 72.0
        left = 12 + 374 * column
        for load, rows in _by_load(one for one in mine if one["kind"] == kind):
            picture.write(left, y, f"{kind} {load}", style="strong")
            y += 20
            for one in rows:
                label = f"{one['connections']} conn."
                picture.write(left + 54, y, label, anchor="end", style="faint")
                for offset, color, variant in ((-7, 0, WITHOUT), (1, 1, WITH)):
                    rate = one["variants"][variant]["requests_per_second"]
                    picture.bar(left + 62, y + offset, 210 * rate / most, 7, color)
                rates = [one["variants"][name]["requests_per_second"] for name in (WITHOUT, WITH)]
                end = left + 62 + 210 * max(rates) / most
                picture.write(end + 6, y, " / ".join(map(count, rates)), style="faint")
                y += 20
            y += 10
    return picture


def _by_load(measured: Iterator[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    ordered = sorted(measured, key=lambda one: (str(one["load"]), int(one["connections"])))
    for load, rows in groupby(ordered, key=lambda one: str(one["load"])):
        yield load, list(rows)
