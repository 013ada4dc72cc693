"""Writes docs/explanation/performance.md, and its pictures, from the last results.

The generated parts come from benchmarks/results/; the text around them is written by hand, and
states no figure of its own. `scripts/bench page` runs it.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import PROJECT
from benchmarks.page import audit, database, goals, http, packages, pictures, runs
from scripts._generated import with_parts

RESULTS = PROJECT / "benchmarks" / "results"
PAGE = PROJECT / "docs" / "explanation" / "performance.md"
PICTURES = PAGE.with_suffix("")
LEVELS = ("database", "http", "audit")

Results = Mapping[str, dict[str, Any] | None]
"""By level; None where it was never measured."""


def read_results(directory: Path = RESULTS) -> Results:
    files = {level: directory / f"{level}.json" for level in LEVELS}
    return {
        level: json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        for level, file in files.items()
    }


def parts(results: Results) -> dict[str, Callable[[], str]]:
    """Return what writes each generated part of the page."""
    found: dict[str, Callable[[], str]] = {
        "runs": partial(runs.part, results),
        "goals": partial(goals.part, {level: results[level] for level in ("database", "http")}),
    }
    for level, own in {
        "database": {**database.PARTS, **packages.PARTS},
        "http": http.PARTS,
        "audit": audit.PARTS,
    }.items():
        for name, write_part in own.items():
            found[name] = partial(_measured, write_part, level, results[level])
    return found


def _measured(
    write_part: Callable[[dict[str, Any]], str], level: str, results: dict[str, Any] | None
) -> str:
    if results is None:
        return f"Not measured yet: `scripts/bench {level}` does it."
    return write_part(results)


def wanted(results: Results, page: str) -> dict[Path, str]:
    """Return what the page and each picture should read."""
    drawn = pictures.draw(results["database"], results["http"])
    return {
        PAGE: with_parts(page, parts(results)),
        **{PICTURES / name: text for name, text in drawn.items()},
    }


def outdated() -> dict[Path, str | None]:
    """Return each file that is not what the results give, with the right text; None has to go."""
    right = wanted(read_results(), PAGE.read_text(encoding="utf-8"))
    wrong: dict[Path, str | None] = {
        path: text
        for path, text in right.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    return wrong | dict.fromkeys(set(PICTURES.glob("*.svg")) - set(right))


def write() -> list[Path]:
    """Write what is outdated, and return its paths."""
    wrong = outdated()
    for path, text in wrong.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    return sorted(wrong)
