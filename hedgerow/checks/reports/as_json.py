"""A report for programs."""

import json
from typing import Any

from hedgerow.checks.reports import page
from hedgerow.checks.runner import Answer, Report
from hedgerow.findings import Finding


def write(report: Report) -> str:
    """Return the report as JSON: `checks` with their findings, and `unused_allowlist_entries`."""
    document = {
        "checks": [_answer(answer) for answer in report.answers],
        "unused_allowlist_entries": [
            {"check": entry.check, "subject": entry.subject, "reason": entry.reason}
            for entry in report.unused
        ],
    }
    return json.dumps(document, indent=2)


def _answer(answer: Answer) -> dict[str, Any]:
    check = answer.check
    return {
        "number": check.number,
        "title": check.title,
        "level": check.level.value,
        "page": page(check),
        "findings": [_finding(answer, finding) for finding in answer.findings],
        "allowed": [
            {**_finding(answer, finding), "reason": reason} for finding, reason in answer.allowed
        ],
        "undetermined": answer.undetermined,
    }


def _finding(answer: Answer, finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "level": answer.level_of(finding).value,
        "sentence": finding.sentence,
        "fix": finding.fix,
    }
