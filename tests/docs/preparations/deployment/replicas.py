"""A user for the page's Python. The standby is the database itself, on the address of all."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.sh("python -c 'from app.core.db import startup; startup()'")
    project.names = """
import hedgerow
from sqlalchemy import select as select_core
from app.core.db import new_session
from app.core.rls import row_security
from app.models import User

with new_session() as session:
    hedgerow.bind(session, hedgerow.Identity.sign_in("user@example.com"), row_security)
    user_id = session.scalar(select_core(User.id).where(User.email == "user@example.com"))
"""
