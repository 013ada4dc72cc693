"""`hedgerow erd` as a person runs it."""

from pathlib import Path

import pytest

from tests.support.databases import PROJECT, clean_environment
from tests.support.programs import run_program

MODELS = """
from sqlmodel import Field, SQLModel
import hedgerow
from hedgerow import Project

class Note(SQLModel, table=True):
    __rls__ = hedgerow.exempt("everybody's")
    id: int = Field(primary_key=True)

def never():
    raise AssertionError("erd asked for a database")

project = Project(hedgerow.RowSecurity(), SQLModel.metadata, never, never, never)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "models_of_test.py").write_text(MODELS)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hedgerow]\nproject = "models_of_test:project"\nerd = "pages/tables.md"\n'
    )
    return tmp_path


def erd(project: Path, *arguments: str) -> tuple[int, str, str]:
    result = run_program(
        "hedgerow",
        "erd",
        *arguments,
        folder=project,
        environment=clean_environment(PYTHONDONTWRITEBYTECODE="1"),
    )
    return result.returncode, result.stdout, result.stderr


def test_it_writes_the_page_that_the_project_names_and_then_finds_it_good(project: Path) -> None:
    """The project's addresses raise: no database is asked for."""
    missing = "hedgerow: pages/tables.md does not exist: run `hedgerow erd`.\n"
    assert erd(project, "--check") == (1, "", missing)
    assert erd(project) == (0, "Wrote pages/tables.md.\n", "")
    assert "t_note" in (project / "pages" / "tables.md").read_text()
    assert erd(project, "--check") == (0, "pages/tables.md is up to date.\n", "")


def test_a_changed_model_makes_the_page_out_of_date(project: Path) -> None:
    erd(project)
    models = project / "models_of_test.py"
    models.write_text(models.read_text().replace("id: int", "number: int"))
    before = (project / "pages" / "tables.md").read_text()
    outdated = "hedgerow: pages/tables.md is out of date: run `hedgerow erd`.\n"
    assert erd(project, "--check") == (1, "", outdated)
    assert (project / "pages" / "tables.md").read_text() == before


def test_another_page_is_written_where_it_is_asked_for(project: Path) -> None:
    refused = "hedgerow: other.md does not exist: run `hedgerow erd --output other.md`.\n"
    assert erd(project, "--check", "--output", "other.md") == (1, "", refused)
    assert erd(project, "--output", "other.md") == (0, "Wrote other.md.\n", "")
    assert not (project / "pages").exists()


def test_what_cannot_be_written_is_one_line(project: Path) -> None:
    (project / "pages").write_text("a file where a folder should be")
    code, out, error = erd(project)
    assert (code, out) == (1, "")
    assert error.startswith("hedgerow: Cannot write ")
    assert error.count("\n") == 1


def test_a_place_that_is_no_path_is_refused(project: Path) -> None:
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"pages/tables.md"', "7"))
    code, _, error = erd(project)
    assert (code, error) == (1, f"hedgerow: {settings}: erd = 7 is not a path of a file.\n")


def test_the_page_of_this_project_is_up_to_date() -> None:
    assert erd(PROJECT, "--check")[0] == 0
