"""The id of a user, for the page's Python."""

from tests.docs.support.project import ProjectCopy


def prepare(project: ProjectCopy) -> None:
    project.names = "from uuid import uuid4\n\nuser_id = uuid4()"
