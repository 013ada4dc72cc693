"""What the command line needs to know of a project, and where it finds it."""

import importlib
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, MetaData
from sqlalchemy.orm import Session

from hedgerow.errors import ConfigurationError
from hedgerow.identity import UserId
from hedgerow.row_security import RowSecurity


@dataclass(frozen=True)
class Project:
    """One application that uses Hedgerow.

    The addresses are functions, so that naming a project starts no server. `find_user` returns the
    key of the user whom a person calls by that name (an e-mail address, say), or None.
    """

    row_security: RowSecurity
    metadata: MetaData
    application_url: Callable[[], URL]
    owner_url: Callable[[], URL]
    find_user: Callable[[Session, str], UserId | None]


def load_project(start: Path) -> Project:
    """Import the project that the nearest `pyproject.toml` at or above `start` names.

    It stands there as `[tool.hedgerow]`, `project = "package.module:name"`.
    Raises ConfigurationError where that is missing or names something else.
    """
    for directory in (start, *start.parents):
        file = directory / "pyproject.toml"
        if file.is_file():
            return _import_project(file)
    raise ConfigurationError(f"Found no pyproject.toml at or above {start}: run this in a project.")


def _import_project(file: Path) -> Project:
    table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("hedgerow", {})
    target = table.get("project")
    if not isinstance(target, str) or target.count(":") != 1:
        raise ConfigurationError(
            f'{file} names no project: add [tool.hedgerow] with project = "package.module:name".'
        )
    module_name, _, attribute = target.partition(":")
    sys.path.insert(0, str(file.parent))
    try:
        project = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{file}: cannot import {target!r}: {error}.") from error
    if not isinstance(project, Project):
        raise ConfigurationError(f"{file}: {target!r} is no hedgerow.project.Project.")
    return project
