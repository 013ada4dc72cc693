"""One server for the run, one database for each worker; the application is pointed at it.

Every test works as the application role. The owner's connection is for setting up and for looking.
"""

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import URL, make_url

from tests.support import owners
from tests.support.databases import (
    Database,
    clean_environment,
    clone_template,
    create_empty,
    drop,
    make_template,
)
from tests.support.people import Person, add_person, remove_all_users
from tests.support.server import TestServer

# Before anything imports the application: its settings are those of the tests, and nothing of a
# developer's environment or `.env`. A suite signs in more often than a person does: what throttles
# that has tests of its own.
_UNTHROTTLED = dict.fromkeys(
    ("THROTTLE_GUESSES", "THROTTLE_ACCOUNT", "THROTTLE_ADDRESS", "THROTTLE_EMAILS"),
    "1000000 per second",
)
_environment = clean_environment(**_UNTHROTTLED)
os.environ.clear()
os.environ.update(_environment)
with tempfile.TemporaryDirectory() as _empty, contextlib.chdir(_empty):
    from app.core.config import settings

_SERVER = TestServer()
_SERVER_KEY = pytest.StashKey[URL]()
_DATABASE_KEY = pytest.StashKey[Database]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server where xdist has none yet, and give this process its database."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As a shell's background job. What tests start, and interrupt, would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        server = make_url(config.workerinput["hedgerow_server"])
        worker = str(config.workerinput["workerid"])
    else:
        signal.signal(signal.SIGTERM, _end_as_after_ctrl_c)
        server = _SERVER.start()
        make_template(server)
        worker = "main"
    config.stash[_SERVER_KEY] = server
    if getattr(config.option, "numprocesses", None):
        return  # the controller of xdist runs no test
    database = clone_template(server, f"hedgerow_test_{worker}")
    config.stash[_DATABASE_KEY] = database
    settings.DATABASE_URL = os.environ["DATABASE_URL"] = database.address


def _end_as_after_ctrl_c(number: int, _: FrameType | None) -> None:
    """Let a run that `timeout` or CI ends stop its server; further signals do not disturb that."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the server is."""
    url = node.config.stash[_SERVER_KEY]
    node.workerinput["hedgerow_server"] = url.render_as_string(hide_password=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that this process started."""
    owners.leave_all()
    if not hasattr(config, "workerinput"):
        _SERVER.stop()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> URL:
    """Return a superuser's address of the server; its database is `postgres`."""
    return pytestconfig.stash[_SERVER_KEY]


@pytest.fixture(scope="session")
def database(pytestconfig: pytest.Config) -> Database:
    """Return this worker's database, migrated; its rows are removed before each test."""
    return pytestconfig.stash[_DATABASE_KEY]


@pytest.fixture
def fresh_database(server: URL) -> Iterator[Database]:
    """Yield a copy of the migrated database, for a test that changes more than rows."""
    database = clone_template(server)
    yield database
    drop(database)


@pytest.fixture
def empty_database(server: URL) -> Iterator[Database]:
    """Yield a database with nothing in it."""
    database = create_empty(server)
    yield database
    drop(database)


@pytest.fixture
def alice(database: Database) -> Person:
    """Return a user with two items, in tables that hold nothing else yet."""
    remove_all_users(database)
    return add_person(database, "alice")


@pytest.fixture
def bob(database: Database, alice: Person) -> Person:
    """Return a second user with two items, whom alice must never see."""
    return add_person(database, "bob")


@pytest.fixture
def admin(database: Database, alice: Person) -> Person:
    """Return a superuser with no items of their own."""
    return add_person(database, "admin", items=0, superuser=True)
