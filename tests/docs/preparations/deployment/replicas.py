"""A user for the page's Python. The standby is the database itself, on the address of all."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.sh("python -c 'from app.core.db import startup; startup()'")
    project.names = """
from app.core.db import new_session
from app.core.project import find_user

with new_session() as session:
    user_id = find_user(session, "user@example.com")
"""
