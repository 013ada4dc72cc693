"""Run checks, and sort what they answer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check, Finding, Level, UndeterminedError
from hedgerow.explain import first_line


@dataclass(frozen=True)
class Answer:
    """What one check found, or why it could not tell."""

    check: Check
    findings: tuple[Finding, ...] = ()
    allowed: tuple[tuple[Finding, str], ...] = ()
    """Findings that the project allows, each with its reason."""
    undetermined: str | None = None


@dataclass(frozen=True)
class Report:
    """The answers of all checks that ran."""

    answers: tuple[Answer, ...]

    def fails(self, *, strict: bool = False) -> bool:
        """Return whether something is wrong enough; "could not tell" is never a pass."""
        fatal = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
        return any(
            answer.check.level in fatal and (answer.findings or answer.undetermined)
            for answer in self.answers
        )


Allowlist = Callable[[Check, Finding], str | None]
"""Returns the reason why a finding is allowed, or None where it is not."""


def nothing_allowed(_check: Check, _finding: Finding) -> str | None:
    """Allow no finding."""
    return None


def run(
    checks: Iterable[Check],
    inspection: Inspection,
    *,
    allows: Allowlist = nothing_allowed,
    progress: Callable[[Check], None] = lambda _: None,
) -> Report:
    """Run `checks`, each in a transaction of its own that is rolled back."""
    answers = []
    for check in checks:
        progress(check)
        answers.append(_ask(check, inspection, allows))
    return Report(tuple(answers))


def _ask(check: Check, inspection: Inspection, allows: Allowlist) -> Answer:
    try:
        found: Sequence[Finding] = tuple(check.find(inspection))
    except UndeterminedError as error:
        return Answer(check, undetermined=str(error))
    except DBAPIError as error:
        return Answer(check, undetermined=f"PostgreSQL said: {first_line(error)}")
    finally:
        for connection in filter(None, (inspection.application, inspection.owner)):
            connection.rollback()
    reasons = [(finding, allows(check, finding)) for finding in found]
    return Answer(
        check,
        findings=tuple(finding for finding, reason in reasons if reason is None),
        allowed=tuple((finding, reason) for finding, reason in reasons if reason is not None),
    )
