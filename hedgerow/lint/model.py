"""What a rule over declarations is, what it may look at, and what it can find."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData

from hedgerow.checks.model import Level


@dataclass(frozen=True)
class Location:
    """Where a person mends it; `line` counts from 1."""

    file: Path
    line: int


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: on what, where, what may come of it, and what mends it.

    `subject` is stable, for the allowlist: a table, or a route such as `GET /items/{id}`.
    """

    subject: str
    sentence: str
    cure: str
    location: Location | None


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


def location_of(definition: object) -> Location | None:
    """Return where a class or function is written, or None where its source is not at hand."""
    try:
        target = inspect.unwrap(definition) if callable(definition) else definition
        file = inspect.getsourcefile(target)  # type: ignore[arg-type]
        _, line = inspect.getsourcelines(target)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return None
    return Location(Path(file), line) if file else None
