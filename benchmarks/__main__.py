"""What row security costs, beside what people would use instead.

Levels: `database` (single statements), `http` (requests to the application) and `audit` (what the
audit trail costs admins). Each runs on a private server of its own, which is removed afterwards.
Progress goes to stderr, the goals and whether they are met to stdout, all figures to
benchmarks/results/LEVEL.json, and from there into docs/explanation/performance.md and its pictures.
`page` writes only these. A --quick run has no real figures and leaves both alone.

Examples:
  scripts/bench                                  # everything, some twenty minutes
  scripts/bench database --quick                 # does it work? two minutes
  scripts/bench database --rows 100000 --rounds 100
  scripts/bench database --large                 # ten million rows as well
  scripts/bench database --output /tmp/mine.json
  scripts/bench http --connections 8 --latency 0 1
  scripts/bench audit --admins 20
  scripts/bench page                             # write the page again, from the last results
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.machine import PROJECT
from benchmarks.page import RESULTS, write
from benchmarks.progress import tell

LEVELS = {
    "database": "benchmarks.database.level",
    "http": "benchmarks.http.level",
    "audit": "benchmarks.audit",
}
"""Each is a module with `add_arguments(parser)`, `measure(arguments)` and `summary(results)`."""

QUICK_RESULTS = PROJECT / ".hedgerow" / "bench"


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("level", nargs="?", choices=(*LEVELS, "all", "page"), default="all")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds: no real figures")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="default: benchmarks/results/LEVEL.json, or .hedgerow/bench/LEVEL.json with --quick",
    )
    levels = {name: import_module(module) for name, module in LEVELS.items()}
    for level in levels.values():
        level.add_arguments(parser)
    arguments = parser.parse_args(words)
    if arguments.level == "page":
        _write_page()
        return
    chosen = list(levels) if arguments.level == "all" else [arguments.level]
    if arguments.output and len(chosen) > 1:
        parser.error("--output is for one level: name it.")
    for name in chosen:
        results = levels[name].measure(arguments)
        directory = QUICK_RESULTS if arguments.quick else RESULTS
        output = arguments.output or directory / f"{name}.json"
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8", newline="\n")
        print(levels[name].summary(results))
        tell(f"all figures are in {output}")
        if output.parent == RESULTS:
            _write_page()


def _write_page() -> None:
    for path in write():
        tell(f"{'wrote' if path.is_file() else 'removed'} {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        tell("stopped: the servers are removed, and nothing is kept of what was not finished")
        sys.exit(130)
