"""The findings that a project allows, each with its reason, in its `pyproject.toml`.

They stand in `[tool.hedgerow]` as `allow = [{check = "H112", subject = "sign_up(text)",
reason = "checks the invitation itself"}]`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hedgerow.checks.model import Check, Finding
from hedgerow.errors import ConfigurationError


@dataclass(frozen=True)
class Allowed:
    """One finding that is right as it is: what `check` says of `subject`, and why it may."""

    check: str
    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.check} {self.subject}"


@dataclass
class Allowlist:
    """What a project allows; it notes which entries were of use, for those that are not can go."""

    entries: tuple[Allowed, ...] = ()
    _used: set[Allowed] = field(default_factory=set)

    def __call__(self, check: Check, finding: Finding) -> str | None:
        """Return the reason why `finding` is allowed, or None where it is not."""
        for entry in self.entries:
            if (entry.check, entry.subject) == (check.number, finding.subject):
                self._used.add(entry)
                return entry.reason
        return None

    def unused(self, determined: Iterable[str]) -> tuple[Allowed, ...]:
        """Return the entries that allowed nothing, of the checks, by number, that could tell."""
        told = set(determined)
        return tuple(e for e in self.entries if e not in self._used and e.check in told)


def read_allowlist(file: Path, entries: object, numbers: Iterable[str]) -> Allowlist:
    """Return the allowlist that stands as `allow` in `[tool.hedgerow]` of `file`.

    Raises ConfigurationError, which names the entry, where it lacks a reason or a check of that
    number does not exist.
    """
    if not isinstance(entries, list):
        raise ConfigurationError(
            f'{file}: allow is a list such as [{{check = "H112", subject = "…", reason = "…"}}].'
        )
    known = set(numbers)
    return Allowlist(tuple(_read(file, entry, known) for entry in entries))


def _read(file: Path, entry: object, known: set[str]) -> Allowed:
    if not isinstance(entry, dict) or set(entry) != {"check", "subject", "reason"}:
        raise ConfigurationError(
            f"{file}: {entry!r} in allow needs check, subject and reason, and nothing else."
        )
    if not all(isinstance(value, str) and value.strip() for value in entry.values()):
        raise ConfigurationError(
            f"{file}: {entry!r} in allow has an empty value: say what is allowed, and why."
        )
    if entry["check"] not in known:
        raise ConfigurationError(f"{file}: allow names {entry['check']!r}, which is no check.")
    return Allowed(**entry)
