"""What the command line needs to know of a project, and where it finds it."""

import importlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, MetaData
from sqlalchemy.orm import Session

from hedgerow.config.identity import UserId
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import ConfigurationError


@dataclass(frozen=True)
class Project:
    """One application that uses Hedgerow.

    The addresses are functions, so that naming a project starts no server. `find_user` returns the
    key of the user whom a person calls by that name (an e-mail address, say), or None. `is_admin`
    tells whether requests of that user may be an admin's; without it, that is unknown. Both get a
    session that is bound to nobody yet: where users' rows are scoped, they bind it first, to
    `Identity.sign_in(name)` and to the user.
    """

    row_security: RowSecurity
    metadata: MetaData
    application_url: Callable[[], URL]
    owner_url: Callable[[], URL]
    find_user: Callable[[Session, str], UserId | None]
    is_admin: Callable[[Session, UserId], bool] | None = None
    maintenance_url: Callable[[], URL] | None = None

    def direct_application_url(self) -> URL:
        """Return the database's own address for the application role, past any pooler.

        A pooler refuses options that carry an identity, or keeps them for the next client.
        """
        login = self.application_url()
        return self.owner_url().set(username=login.username, password=login.password)


def find_settings(start: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return the nearest `pyproject.toml` at or above `start`, and its table `[tool.hedgerow]`.

    Raises ConfigurationError where there is no such file.
    """
    for directory in (start, *start.parents):
        file = directory / "pyproject.toml"
        if file.is_file():
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
            return file, table.get("hedgerow", {})
    raise ConfigurationError(f"Found no pyproject.toml at or above {start}: run this in a project.")


def load_project(start: Path) -> Project:
    """Import the project that the nearest `pyproject.toml` at or above `start` names.

    It stands there as `[tool.hedgerow]`, `project = "package.module:name"`.
    Raises ConfigurationError where that is missing or names something else.
    """
    file, settings = find_settings(start)
    target = settings.get("project")
    if target is None:
        raise ConfigurationError(
            f'{file} names no project: add [tool.hedgerow] with project = "package.module:name".'
        )
    project = _import_object(file, target)
    if not isinstance(project, Project):
        raise ConfigurationError(f"{file}: {target!r} is not a hedgerow.Project.")
    return project


def load_application(start: Path) -> object | None:
    """Import the FastAPI application that `application = "package.module:name"` names beside it.

    Returns None where none is named. Raises ConfigurationError where it cannot be imported.
    """
    file, settings = find_settings(start)
    target = settings.get("application")
    return None if target is None else _import_object(file, target)


def _import_object(file: Path, target: object) -> object:
    if not isinstance(target, str) or target.count(":") != 1:
        raise ConfigurationError(f'{file}: {target!r} is not written as "package.module:name".')
    module_name, _, attribute = target.partition(":")
    if (directory := str(file.parent)) not in sys.path:
        sys.path.insert(0, directory)
    try:
        found: object = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{file}: cannot import {target!r}: {error}.") from error
    return found
