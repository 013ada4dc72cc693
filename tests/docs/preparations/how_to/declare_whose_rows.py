"""The first users, and after it: the files are as the project's own are, and nothing is open."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.sh("python -c 'from app.core.db import startup; startup()'")


def finish(project: ProjectCopy) -> None:
    project.sh("ruff check app/planner.py app/core app/alembic/env.py && hedgerow lint")
    project.sh("ruff format app && ruff check --fix app")  # the revision, too
