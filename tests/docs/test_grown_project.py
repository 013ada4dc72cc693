"""The tests and checks that come with the project are the user's: they hold as it grows."""

import shutil

from tests.docs.support.following import write_files
from tests.docs.support.pages import Page
from tests.docs.support.project import ProjectCopy
from tests.support.databases import PROJECT, SERVER_VARIABLE

NOTICED_BY = "tests/app/core/test_rls.py tests/app/api/test_openapi.py -k 'test_rls or tasks'"
"""What looks at all models and tables, and at each of the new routes."""


def test_a_project_with_the_models_of_the_readme_is_green(project: ProjectCopy) -> None:
    project.settings[SERVER_VARIABLE] = ""  # its tests make a template database of their own
    write_files(Page(PROJECT / "README.md"), project)
    routers = "app/api/main.py"
    project.change(routers, "private,", "tasks,", keep=True)
    included = "api_router.include_router({}.router)"
    project.change(routers, included.format("items"), included.format("tasks"), keep=True)
    project.sh("alembic revision --autogenerate -m 'add task' && alembic upgrade head")
    if (cache := PROJECT / ".mypy_cache").is_dir():  # a quarter of the time
        shutil.copytree(cache, project.folder / ".mypy_cache")
    # Of scripts/lint --fix, one after the other, what looks at models and routes.
    project.sh("ruff check --quiet --fix-only . && ruff format -q . && hedgerow erd")
    project.sh("ruff format --check . && ruff check .")
    project.sh("mypy")
    project.sh("hedgerow lint && hedgerow erd --check")
    project.sh(f"scripts/test -n 0 -q {NOTICED_BY}")
