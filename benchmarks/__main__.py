"""Measure what row security costs, beside a hand-written WHERE and published packages."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.machine import tell
from benchmarks.page import RESULTS, as_json, goals, requests, tenants, write_page
from benchmarks.server import PROJECT

_TOLD = {"database": goals, "tenants": tenants, "http": requests}
LEVELS = tuple(_TOLD)  # each has a module `level` with `measure(arguments)`

QUICK_RESULTS = PROJECT / ".hedgerow" / "bench"


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("level", nargs="?", choices=(*LEVELS, "all"), default="all")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds: no real figures")
    parser.add_argument("--rows", type=int, nargs="+", metavar="N", help="sizes of the table")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often everything takes turns")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIRECTORY",
        help="default: benchmarks/results/, or .hedgerow/bench/ with --quick",
    )
    arguments = parser.parse_args(words)
    directory = arguments.output or (QUICK_RESULTS if arguments.quick else RESULTS)
    directory.mkdir(parents=True, exist_ok=True)
    for name in LEVELS if arguments.level == "all" else [arguments.level]:
        results = import_module(f"benchmarks.{name}.level").measure(arguments)
        output = directory / f"{name}.json"
        output.write_text(as_json(results) + "\n", encoding="utf-8", newline="\n")
        print(_TOLD[name](results))
        tell(f"all figures are in {output}")
    if directory == RESULTS:
        write_page()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        tell("stopped: the servers are removed, and nothing is kept of what was not finished")
        sys.exit(130)
