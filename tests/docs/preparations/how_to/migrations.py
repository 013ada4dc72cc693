"""A new scoped model, as a reader has who begins with the first command."""

from tests.docs.support.project import ProjectCopy

TASK = """
class Task(UserScopedBase, table=True):
    __tablename__ = "task"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    title: str
"""


def prepare(project: ProjectCopy) -> None:
    project.write("app/models.py", TASK)


def finish(project: ProjectCopy) -> None:
    """What the page says after the rename: upgrade, rename the model, autogenerate the rest."""
    project.sh("alembic upgrade head")
    project.change("app/models.py", '__tablename__ = "task"', '__tablename__ = "todo"', keep=False)
    project.sh(
        "alembic revision --autogenerate -m 'new names'; alembic upgrade head; alembic check"
    )
