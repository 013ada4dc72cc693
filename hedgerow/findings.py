"""What `hedgerow check` and `hedgerow lint` find, and which findings a project allows.

Allowed findings stand, each with its reason, in `[tool.hedgerow]` of `pyproject.toml` as
`allow = [{check = "H112", subject = "sign_up(text)", reason = "checks the invitation itself"}]`.
"""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from hedgerow.errors import ConfigurationError


class Level(StrEnum):
    """How bad a finding is: an error stops the start, a warning is one with `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Location:
    """Where a person fixes it; `line` counts from 1."""

    file: Path
    line: int


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: on what, what another user could do with it, and what fixes it.

    `subject` is stable (a table, a role, a policy, a route), for the allowlist. `fix` works as it
    stands: SQL for the owner, each statement ended by a semicolon, or a shell command without one.
    Where neither can, it is a sentence for a person. `location` is set where source code is at
    fault, `level` where this one is less bad than its check's others.
    """

    subject: str
    sentence: str
    fix: str
    location: Location | None = None
    level: Level | None = None


def location_of(definition: object) -> Location | None:
    """Return where a class or function is written, or None where its source is not at hand."""
    try:
        target = inspect.unwrap(definition) if callable(definition) else definition
        file = inspect.getsourcefile(target)  # type: ignore[arg-type]
        _, line = inspect.getsourcelines(target)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return None
    return Location(Path(file), line) if file else None


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

    def __call__(self, number: str, finding: Finding) -> str | None:
        """Return the reason why what check `number` finds is allowed, or None where it is not."""
        for entry in self.entries:
            if (entry.check, entry.subject) == (number, finding.subject):
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
        raise ConfigurationError(f"{file}: allow names {entry['check']!r}, which is not a check.")
    return Allowed(**entry)
