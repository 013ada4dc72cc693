"""The part about the audit trail."""

from collections.abc import Callable
from typing import Any

from benchmarks.page.words import count, interval, time
from scripts._generated import table


def _throughput(results: dict[str, Any]) -> str:
    rows = [("work", "audit trail", "requests/s", "p50, ms", "p99, ms", "ratio (interval)")]
    for one in results["measurements"]:
        for way, figures in one["ways"].items():
            rows.append(
                (
                    one["work"],
                    way,
                    count(figures["requests_per_second"]),
                    time(figures["p50_ms"]),
                    time(figures["p99_ms"]),
                    interval(one) if way == "with" else "",
                )
            )
    return f"{results['pace']['admins']} admins at the same time.\n\n{table(rows)}"


PARTS: dict[str, Callable[[dict[str, Any]], str]] = {"throughput": _throughput}
