"""What a check is, and what it can answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from hedgerow.checks.inspection import Inspection
from hedgerow.errors import HedgerowError


class Level(StrEnum):
    """How bad a finding is: an error stops the start, a warning is one with `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: on what, what a stranger could do with it, and what mends it.

    `subject` is stable (a table, a role, a policy), for the allowlist. `cure` mends it as it
    stands: SQL for the owner, each statement ended by a semicolon, or a shell command without one.
    Where neither can, it is a sentence for a person, ended by a full stop.
    """

    subject: str
    sentence: str
    cure: str


class UndeterminedError(HedgerowError):
    """A check could not tell; the message says why. Never a pass."""


@dataclass(frozen=True)
class Check:
    """One rule: a stable number, a level, and how to find what breaks it.

    `pitfalls` are numbers such as "P2". A check `at_start_up` is also run by the application before
    its first request, so it must be quick and needs no more than the application's connection.
    `find` raises UndeterminedError where it cannot tell.
    """

    number: str
    level: Level
    title: str
    find: Callable[[Inspection], Iterable[Finding]]
    pitfalls: tuple[str, ...] = ()
    at_start_up: bool = False
