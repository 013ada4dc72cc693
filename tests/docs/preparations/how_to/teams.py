"""The log of the server is where the page says that its reader keeps it."""

from tests.docs.support.project import ProjectCopy

WRITTEN = "app/models.py app/api/main.py app/api/routes/documents.py"


def prepare(project: ProjectCopy) -> None:
    project.sh("ln -s .server.log dev.log")


def finish(project: ProjectCopy) -> None:
    project.sh(f"ruff check {WRITTEN} && ruff format --check {WRITTEN} && alembic check")
    project.sh("hedgerow lint")
