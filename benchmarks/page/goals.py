"""What was promised, and whether the last runs keep it."""

from collections.abc import Mapping
from typing import Any

from benchmarks.page.words import ratio
from scripts._generated import table


def part(results: Mapping[str, dict[str, Any] | None]) -> str:
    told = []
    rows = [("goal", "limit", "worst figure", "found at", "verdict")]
    for level, one in results.items():
        if one is None:
            told.append(f"Not measured yet: `scripts/bench {level}` does it.")
        else:
            rows += [_row(goal) for goal in one.get("goals", ())]
    if len(rows) > 1:
        met = sum(row[4].startswith("met") for row in rows)
        told += [f"{met} of {len(rows) - 1} goals are met.", table(rows)]
    return "\n\n".join(told)


def _row(goal: dict[str, Any]) -> tuple[str, str, str, str, str]:
    verdict = "met" if goal["met"] else "**missed**"
    return (
        goal["goal"],
        f"{'at most' if goal.get('at_most', True) else 'at least'} {goal['limit']:g}",
        f"{goal['value']}" if isinstance(goal["value"], int) else ratio(goal["value"]),
        goal["where"],
        verdict if goal["clear"] else f"{verdict}, not clearly",
    )
