"""The README: its tour needs rows, and its AdminContext a user and a session."""

from tests.docs.support.project import ProjectCopy

NAMES = """
from sqlmodel import select

from app.core.config import settings
from app.core.db import new_session
from app.core.project import find_user
from app.models import Item

session = new_session()
user_id = find_user(session, settings.FIRST_SUPERUSER)
"""
INCLUDED = """
from app.api.routes import tasks

api_router.include_router(tasks.router)
"""
LIST = """
curl -sf http://ADDRESS/api/v1/tasks/ -H "Authorization: Bearer $(sign_in user@example.com)"
"""


def prepare(project: ProjectCopy) -> None:
    project.names = NAMES
    project.address()  # so that the first users have their items


def finish(project: ProjectCopy) -> None:
    """The routes of the page are served, for the table that it made."""
    project.append("app/api/main.py", INCLUDED)
    assert project.sh(LIST.replace("ADDRESS", project.address())).strip() == "[]"
