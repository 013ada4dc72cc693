"""Run checks, and collect what they find."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from hedgerow.checks.inspection import Inspection, UndeterminedError
from hedgerow.checks.model import Check
from hedgerow.connect import first_line
from hedgerow.findings import Allowed, Allowlist, Finding, Level


@dataclass(frozen=True)
class Answer:
    """What one check found, or why it could not tell."""

    check: Check
    findings: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, str], ...] = ()
    """Findings that the project allows, each with its reason."""
    undetermined: str | None = None

    def level_of(self, finding: Finding) -> Level:
        """Return how bad one of the findings is."""
        return finding.level or self.check.level

    def reaches(self, levels: Collection[Level]) -> bool:
        """Return whether a finding is of one of these levels; "could not tell" is the check's."""
        found = {self.level_of(finding) for finding in self.findings}
        if self.undetermined is not None:
            found.add(self.check.level)
        return not found.isdisjoint(levels)


@dataclass(frozen=True)
class Report:
    """The answers of all checks that ran."""

    answers: tuple[Answer, ...]
    unused: tuple[Allowed, ...] = ()
    """Entries of the allowlist that allow nothing any more; each counts as a warning."""

    def count(self, level: Level) -> int:
        """Return the number of findings of that level that are not allowed."""
        return sum(
            answer.level_of(finding) is level
            for answer in self.answers
            for finding in answer.findings
        )

    def fails(self, *, strict: bool = False) -> bool:
        """Return whether something is wrong enough; "could not tell" is never a pass."""
        fatal = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
        return (strict and bool(self.unused)) or any(a.reaches(fatal) for a in self.answers)


def run(
    checks: Iterable[Check],
    inspection: Inspection,
    *,
    allowlist: Allowlist | None = None,
    progress: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Run `checks`, each in a transaction of its own that is rolled back."""
    allows = allowlist or Allowlist()
    answers = []
    for check in checks:
        progress(check)
        answers.append(_ask(check, inspection, allows))
    determined = (answer.check.number for answer in answers if answer.undetermined is None)
    return Report(tuple(answers), allows.unused(determined))


def _ask(check: Check, inspection: Inspection, allows: Allowlist) -> Answer:
    found: list[Finding] = []
    undetermined = None
    try:
        found.extend(check.find(inspection))  # keeps what came before an error
    except UndeterminedError as error:
        undetermined = str(error)
    except DBAPIError as error:
        undetermined = f"PostgreSQL said: {first_line(error)}."
    finally:
        for connection in filter(None, (inspection.application, inspection.owner)):
            connection.rollback()
    reasons = [(finding, allows(check.number, finding)) for finding in found]
    return Answer(
        check,
        findings=tuple(finding for finding, reason in reasons if reason is None),
        allowed=tuple((finding, reason) for finding, reason in reasons if reason is not None),
        undetermined=undetermined,
    )
