"""The second application, migrated by its own command, with roles that no other test has.

Its settings are variables of the environment, read as it is imported: so that happens here.
"""

import importlib
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import URL

from tests.second_app.support import Library, Reader
from tests.support.databases import create_empty, drop
from tests.support.deployments import drop_roles

PACKAGE = "tests.second_app.library"


@pytest.fixture(scope="session")
def library(server: URL) -> Iterator[Library]:
    """Yield the application's deployment, migrated and empty."""
    library = Library(create_empty(server), f"library_{uuid4().hex[:10]}")
    try:
        library.run("alembic", "upgrade", "head")
        yield library
    finally:
        drop(library.database)
        drop_roles(server, library.roles)


@pytest.fixture(scope="session")
def application(library: Library) -> Iterator[FastAPI]:
    """Yield the application in this process, on a pool of one connection."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in library.settings.items():
            patch.setenv(name, value)
        app = importlib.import_module(f"{PACKAGE}.main").app
        assert isinstance(app, FastAPI)
        yield app
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


@pytest.fixture
def client(application: FastAPI) -> Iterator[TestClient]:
    """Yield a client of the running application."""
    with TestClient(application) as client:
        yield client


@pytest.fixture
def ann(library: Library) -> Reader:
    """Return a reader with two books, in a library that holds nothing else."""
    library.empty()
    return library.add_reader("ann")


@pytest.fixture
def ben(library: Library, ann: Reader) -> Reader:
    """Return a second reader, whom ann must never see."""
    return library.add_reader("ben")


@pytest.fixture
def librarian(library: Library, ann: Reader) -> Reader:
    """Return an admin without books."""
    return library.add_reader("librarian", books=0, librarian=True)
