"""Users with fifty items each, as the page shows them."""

from tests.docs.support.project import ProjectCopy
from tests.hedgerow.bench.support import fill


def prepare(project: ProjectCopy) -> None:
    fill(project.database)
