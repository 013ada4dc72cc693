"""The reader's own tests run on a server of their own, and what the reader wrote is tidy."""

from tests.docs.support.project import ProjectCopy
from tests.support.databases import SERVER_VARIABLE

WRITTEN = "app/models.py app/api/main.py app/api/routes/notes.py tests/app/test_notes.py"


def prepare(project: ProjectCopy) -> None:
    # Its tests make a template database: on the server of these tests it would be ours.
    project.settings[SERVER_VARIABLE] = ""


def finish(project: ProjectCopy) -> None:
    project.sh(f"ruff check {WRITTEN} && ruff format --check {WRITTEN} && alembic check")
