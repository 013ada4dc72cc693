"""A report for people."""

from collections.abc import Iterator

from hedgerow.checks.reports import page
from hedgerow.checks.runner import Answer, Report
from hedgerow.findings import Level


def write(report: Report) -> str:
    """Return the report as lines: what is wrong, what fixes it, and a summary at the end."""
    lines = [line for answer in report.answers for line in _lines(answer)]
    lines += [
        f"warning  {entry.check} {entry.subject}\n"
        f"    The allowlist's entry allows nothing any more ({entry.reason}).\n"
        "    Fix: remove it from allow in pyproject.toml.\n"
        for entry in report.unused
    ]
    return "\n".join([*lines, _summary(report)])


def _lines(answer: Answer) -> Iterator[str]:
    check = answer.check
    for finding in answer.findings:
        yield (
            f"{answer.level_of(finding).value:<8} {check.number} {finding.subject}\n"
            f"    {finding.sentence}\n"
            f"    Fix: {finding.fix}\n"
            f"    {check.title}: {page(check)}\n"
        )
    for finding, reason in answer.allowed:
        yield f"allowed  {check.number} {finding.subject}\n    {reason}\n"
    if answer.undetermined is not None:
        yield (
            f"unknown  {check.number} {check.title}\n"
            f"    Could not determine: {answer.undetermined}\n"
            f"    This did not pass; it counts as {check.level.value}: {page(check)}\n"
        )


def _summary(report: Report) -> str:
    counts = [_count(report.count(level), level.value) for level in Level]
    unknown = sum(answer.undetermined is not None for answer in report.answers)
    allowed = sum(len(answer.allowed) for answer in report.answers)
    if report.unused:
        counts.append(_count(len(report.unused), "unused entry", "unused entries"))
    return (
        f"{len(report.answers)} checks: {', '.join(counts)}, {unknown} could not be determined,"
        f" {allowed} allowed."
    )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
