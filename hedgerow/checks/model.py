"""What a check is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hedgerow.checks.inspection import Inspection
from hedgerow.findings import Finding, Level


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
