"""The people whom the page names, and an entry of each kind of admin."""

from tests.docs.support.project import ProjectCopy

PEOPLE = """
from app.core.db import new_session
from app import crud
from app.models import UserRegister

with new_session() as session:
    user = UserRegister(email="alice@example.com", password="changethis")
    crud.register_user(session=session, user_create=user)
"""


def prepare(project: ProjectCopy) -> None:
    project.address()
    code, output = project.run_python(PEOPLE)
    assert code == 0, output
