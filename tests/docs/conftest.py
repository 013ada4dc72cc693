"""A copy of the project for each page that is followed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.support.project import ProjectCopy
from tests.support.databases import Database


@pytest.fixture
def project(fresh_database: Database) -> Iterator[ProjectCopy]:
    """Yield a copy whose database may be changed."""
    with _copy(fresh_database) as project:
        yield project


@pytest.fixture(scope="module")
def shared_project(database: Database) -> Iterator[ProjectCopy]:
    """Yield a copy for several tests that change neither its files nor its database."""
    with _copy(database) as project:
        yield project


@contextmanager
def _copy(database: Database) -> Iterator[ProjectCopy]:
    # Not pytest's folder: PostgreSQL's programs run as another user where root runs the tests.
    with tempfile.TemporaryDirectory(prefix="hedgerow-docs-") as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent).resolve() / "hedgerow"
        folder.mkdir()
        project = ProjectCopy(folder, database)
        try:
            yield project
        finally:
            project.close()
