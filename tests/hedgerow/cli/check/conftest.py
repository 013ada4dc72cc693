"""Databases for the command: a good one, and one with faults of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.hedgerow.cli.check.support import PROJECT_LINES, SLOW, VIEW
from tests.support.databases import Database, clone_template, drop
from tests.support.raw import connect


@pytest.fixture(scope="module")
def good(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    yield database
    drop(database)


@pytest.fixture(scope="module")
def faulty(server: URL) -> Iterator[Database]:
    """Yield a database with an error, a warning, and what cannot be determined without an index."""
    database = clone_template(server)
    with connect(database.owner_url) as owner:
        owner.execute(f"{VIEW}; {SLOW}")
        owner.commit()
    yield database
    drop(database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project's folder without anybody's `.env`."""
    (tmp_path / "pyproject.toml").write_text(PROJECT_LINES)
    return tmp_path
