"""What another project has that gives itself a `Project`."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.names = """
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase

import hedgerow

class Base(DeclarativeBase):
    pass

row_security = hedgerow.RowSecurity()
application_engine = owner_engine = create_engine("postgresql+psycopg://")

def find_user(session, name):
    return None
"""
