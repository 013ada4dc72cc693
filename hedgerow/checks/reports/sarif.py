"""A report for code scanning: SARIF 2.1.0, an OASIS standard."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hedgerow.checks.model import Check
from hedgerow.checks.reports import page
from hedgerow.checks.runner import Answer, Report

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_Object = Mapping[str, Any]


def write(report: Report) -> str:
    """Return the report as SARIF: a rule for each check, a result for each finding.

    What is allowed is a result with a suppression; what could not be determined is one of kind
    "open", to which the standard gives no level (section 3.27.9).
    """
    results = [
        {"ruleIndex": index, **result}
        for index, answer in enumerate(report.answers)
        for result in _results(answer)
    ]
    notifications = [
        {
            "level": "warning",
            "descriptor": {"id": "unused-allowlist-entry"},
            "message": {"text": f"{entry} in allow of pyproject.toml allows nothing: remove it."},
        }
        for entry in report.unused
    ]
    run = {
        "tool": {"driver": {"name": "hedgerow", "rules": [_rule(a.check) for a in report.answers]}},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(check: Check) -> _Object:
    return {
        "id": check.number,
        "name": "".join(word.title() for word in check.title.split()),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": inspect.getdoc(check.find) or check.title},
        "help": {"text": f"See {page(check)}."},
        "defaultConfiguration": {"level": check.level.value},
    }


def _results(answer: Answer) -> Iterator[_Object]:
    check = answer.check
    found = [(finding, None) for finding in answer.findings]
    for finding, reason in (*found, *answer.allowed):
        suppressions = [] if reason is None else [_suppression(reason)]
        yield {
            "ruleId": check.number,
            "kind": "fail",
            "level": answer.level_of(finding).value,
            "message": {"text": f"{finding.sentence} Fix: {finding.fix}"},
            "locations": _locations(finding.subject),
            "partialFingerprints": {"subject/v1": f"{check.number}:{finding.subject}"},
            "suppressions": suppressions,
        }
    if answer.undetermined is not None:
        yield {
            "ruleId": check.number,
            "kind": "open",
            "level": "none",
            "message": {"text": f"Could not determine: {answer.undetermined}"},
            "locations": _locations(check.title),
        }


def _suppression(reason: str) -> _Object:
    return {"kind": "external", "status": "accepted", "justification": reason}


def _locations(subject: str) -> list[_Object]:
    """Return what is wrong in the database, at the file that says which project it is.

    Code scanning shows nothing that is in no file.
    """
    file = {"artifactLocation": {"uri": "pyproject.toml"}, "region": {"startLine": 1}}
    return [{"physicalLocation": file, "logicalLocations": [{"fullyQualifiedName": subject}]}]
