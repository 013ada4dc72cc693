"""What scripts/test --coverage prints: how much the tests reach, and where they do not."""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from coverage import Coverage

LISTED_BELOW = 95  # percent


def share(reached: int, all_of_it: int) -> float:
    return 100 * reached / all_of_it if all_of_it else 100


def counts(summary: dict[str, Any]) -> tuple[int, int]:
    """Return how many lines and branches were reached, and how many there are."""
    reached = summary["covered_lines"] + summary["covered_branches"]
    return reached, summary["num_statements"] + summary["num_branches"]


def missing(report: dict[str, Any]) -> str:
    """Return what no test reaches as a reader looks it up: lines 3-5, 9 and the jump 7->12."""
    lines = report["missing_lines"]
    jumps = [
        f"{start}->{end if end > 0 else 'end'}"
        for start, end in report["missing_branches"]
        if start not in lines and end not in lines
    ]
    return ", ".join(ranges(lines) + jumps)


def ranges(lines: list[int]) -> list[str]:
    found: list[list[int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return [f"{one}-{last}" if one < last else f"{one}" for one, last in found]


def main() -> None:
    coverage = Coverage()
    coverage.load()
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        coverage.json_report(outfile=file.name)
        files = json.load(file)["files"]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, report in files.items():
        for package in {Path(name).parts[0], Path(name).parent.as_posix()}:
            for position, count in enumerate(counts(report["summary"])):
                sums[package][position] += count
    print("Lines and branches that a test reaches; why not all: CONTRIBUTING.md, Tests")
    for package, (reached, all_of_it) in sorted(sums.items()):
        print(f"{share(reached, all_of_it):6.1f} %  {package}: {reached} of {all_of_it}")
    print(f"Files below {LISTED_BELOW} %, with the lines and jumps that none reaches:")
    for name, report in files.items():
        percent = share(*counts(report["summary"]))
        if percent < LISTED_BELOW:
            print(f"{percent:6.1f} %  {name}: {missing(report)}")


if __name__ == "__main__":
    main()
