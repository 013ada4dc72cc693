"""What a rule over declarations is, what it may look at, and what it can find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import MetaData

from hedgerow.findings import Finding, Level


@dataclass(frozen=True)
class Route:
    """One route of an application: `GET /items/{id}`, its function, and what that depends on."""

    name: str
    endpoint: Callable[..., object]
    dependencies: tuple[Callable[..., object], ...]


@dataclass(frozen=True)
class Declarations:
    """What a rule may look at; `routes` is None where the project names no application."""

    metadata: MetaData
    routes: tuple[Route, ...] | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: a stable number, a level, and how to find what breaks it; `routes`: in routes."""

    number: str
    level: Level
    title: str
    find: Callable[[Declarations], Iterable[Finding]]
    routes: bool = False
