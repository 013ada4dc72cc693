"""A copy of the project for each page that is followed."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.docs.support.project import ProjectCopy
from tests.support.databases import Database
from tests.support.server import passable_folder


@pytest.fixture
def project(fresh_database: Database) -> Iterator[ProjectCopy]:
    """Yield a copy whose database may be changed."""
    with copied_project(fresh_database) as project:
        yield project


@pytest.fixture(scope="module")
def shared_project(database: Database) -> Iterator[ProjectCopy]:
    """Yield a copy for several tests that change neither its files nor its database."""
    with copied_project(database) as project:
        yield project


@contextmanager
def copied_project(database: Database) -> Iterator[ProjectCopy]:
    """Yield a copy of the project that works on this database."""
    # Not pytest's folder: PostgreSQL's programs run as another user where root runs the tests.
    parent = passable_folder("hedgerow-docs-")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, parent)
        folder = parent / "hedgerow"
        folder.mkdir()
        yield stack.enter_context(closing(ProjectCopy(folder, database)))
