"""Apply the rules and the allowlist, and report the findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hedgerow.findings import Allowed, Allowlist, Finding
from hedgerow.lint import RULES
from hedgerow.lint.model import Declarations, Rule


@dataclass(frozen=True)
class Report:
    """What was found, what is allowed and why, and which allowlist entries are unused."""

    declarations: Declarations
    found: tuple[tuple[Rule, Finding], ...]
    allowed: tuple[tuple[Rule, Finding, str], ...]
    unused: tuple[Allowed, ...]


def lint(declarations: Declarations, allowlist: Allowlist) -> Report:
    """Apply each rule to what the project declares."""
    found, allowed = [], []
    for rule in RULES:
        for finding in rule.find(declarations):
            reason = allowlist(rule.number, finding)
            if reason is None:
                found.append((rule, finding))
            else:
                allowed.append((rule, finding, reason))
    numbers = {rule.number for rule in RULES if declarations.routes is not None or not rule.routes}
    unused = allowlist.unused(numbers)
    return Report(declarations, tuple(found), tuple(allowed), unused)


def as_text(report: Report, directory: Path) -> Iterator[str]:
    """Yield the lines for people; paths are relative to `directory`."""
    for rule, finding in report.found:
        yield f"{_place(finding, directory)}{rule.number} {rule.level}: {finding.sentence}"
        yield f"  Fix: {finding.fix}."
    for entry in report.unused:
        yield f"allow = {entry}: nothing is found there any more: remove the entry."
    tables = len(report.declarations.metadata.tables)
    routes = report.declarations.routes
    looked = f"{tables} tables" + (f" and {len(routes)} routes" if routes is not None else "")
    yield f"hedgerow lint: {looked}, {len(report.found)} findings, {len(report.allowed)} allowed."
    if routes is None:
        yield 'Routes were not checked: name the FastAPI in [tool.hedgerow], application = "…:…".'


def as_json(report: Report, directory: Path) -> dict[str, Any]:
    """Return the report as plain values for JSON."""
    routes = report.declarations.routes
    return {
        "tables": len(report.declarations.metadata.tables),
        "routes": None if routes is None else len(routes),
        "findings": [_values(rule, finding, directory) for rule, finding in report.found],
        "allowed": [
            _values(rule, finding, directory) | {"reason": reason}
            for rule, finding, reason in report.allowed
        ],
        "unused": [{"check": one.check, "subject": one.subject} for one in report.unused],
    }


def _values(rule: Rule, finding: Finding, directory: Path) -> dict[str, Any]:
    location = finding.location
    return {
        "check": rule.number,
        "level": rule.level.value,
        "subject": finding.subject,
        "sentence": finding.sentence,
        "fix": finding.fix,
        "file": _shown(location.file, directory) if location else None,
        "line": location.line if location else None,
    }


def _place(finding: Finding, directory: Path) -> str:
    if finding.location is None:
        return ""
    return f"{_shown(finding.location.file, directory)}:{finding.location.line}: "


def _shown(file: Path, directory: Path) -> str:
    return str(file.relative_to(directory) if file.is_relative_to(directory) else file)
