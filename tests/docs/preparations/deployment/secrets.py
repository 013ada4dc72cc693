"""Signed identities, and the user whose items the page lists."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.settings["RLS_CONTEXT_SECRET"] = "the-secret-before-this-page"
    project.sh("alembic upgrade head && python -c 'from app.core.db import startup; startup()'")
