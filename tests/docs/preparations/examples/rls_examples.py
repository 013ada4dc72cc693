"""A smaller import, a server of its own for the reader's tests, and a look at what was written."""

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import scoped_tables
from tests.docs.support.project import ProjectCopy
from tests.support.databases import SERVER_VARIABLE

ROWS = 5000
WRITTEN = "app/alembic/env.py app/api app/core app/examples tests/app/test_planner.py"


def prepare(project: ProjectCopy) -> None:
    if [table.name for table, _ in scoped_tables(SQLModel.metadata)] != ["item"]:
        pytest.skip("the page's test has a row for each scoped table, and this project has more")
    project.settings[SERVER_VARIABLE] = ""
    project.settings["ROWS"] = str(ROWS)
    project.sh("python -c 'from app.core.db import startup; startup()'")  # the first users


def finish(project: ProjectCopy) -> None:
    """Each imported row is stored and recorded; the files are as the project's own are."""
    with project.database.as_owner() as owner:
        recorded = owner.scalar(
            text("SELECT count(*) FROM rls.audit WHERE event = 'change' AND command = 'INSERT'")
        )
        assert recorded == ROWS
        assert owner.scalar(text("SELECT count(*) FROM bookmark")) == ROWS + 2
    project.sh(f"ruff check {WRITTEN} && ruff format --check {WRITTEN}")
