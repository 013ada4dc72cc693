"""A session and a user, and the first users that `hedgerow psql --as` finds."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.names = """
from uuid import uuid4

import hedgerow
from app.core.db import new_session
from app.core.rls import row_security
from hedgerow import Identity

session = new_session()
user_id = uuid4()
"""
    project.address()
