"""A page that does not do what it says fails, at the block that does not."""

from pathlib import Path

import pytest

from tests.docs.support.following import BlockError, follow, is_run
from tests.docs.support.pages import Page
from tests.docs.support.project import ProjectCopy
from tests.support.databases import PROJECT


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr("tests.docs.support.pages.PROJECT", tmp_path)
    return Page(tmp_path / "page.md")


def write(page: Page, *blocks: tuple[str, str]) -> None:
    """Write a page of blocks, each of which is a fence's first line, or a comment, and its text."""
    parts = [f"{head}\n{text}\n```" for head, text in blocks]
    page.path.write_text("# Page\n\n" + "\n\n".join(parts) + "\n")


@pytest.mark.parametrize(
    ("blocks", "line"),
    [
        ([("```sh", "true"), ("```sh", "false\ntrue")], 7),
        ([("```sh", "false | true")], 3),
        ([("```sh", "not_a_command")], 3),
        ([("```python", "1 / 0")], 3),
        ([("<!-- test: fails -->\n```sh", "true")], 4),
        ([("<!-- test: fails -->\n```python", "1")], 4),
        ([("<!-- test: skip -->\n```sh", "true")], 4),
        ([("<!-- test: guess -->\n```sh", "true")], 4),
        ([("```sh", "echo a"), ("<!-- test: output -->\n```text", "b")], 8),
        ([("<!-- test: as owner -->\n```sql", "SELECT nothing")], 4),
        ([("<!-- test: as guest -->\n```sql", "SELECT 1")], 4),
        ([("<!-- test: shown in README.md -->\n```python", "no_such_line = 1")], 4),
        ([("<!-- test: shown in no/such/file.py -->\n```python", "x = 1")], 4),
        ([("<!-- test: insert README.md after no such line -->\n```python", "x = 1")], 4),
    ],
)
def test_a_block_that_does_not_do_what_it_says_is_named(
    page: Page, shared_project: ProjectCopy, blocks: list[tuple[str, str]], line: int
) -> None:
    write(page, *blocks)
    with pytest.raises(BlockError, match=rf"^page\.md:{line}: "):
        follow(page, shared_project)


def test_what_a_reader_does_stays_from_block_to_block(page: Page, project: ProjectCopy) -> None:
    write(
        page,
        ("```sh", "mkdir -p 'a folder' && cd 'a folder'\ngreet() { echo \"hello $1\"; }"),
        ("<!-- test: fails -->\n```bash", "greet you; cat no_such_file"),
        ("<!-- test: output -->\n```", "hello …\n…no_such_file…"),
        ("```shell", 'test "$(basename "$PWD")" = "a folder" && greet me'),
        ("<!-- test: output -->\n```text", "hello me"),
        ("```python", "kept = 1"),
        ("```python", "assert kept + given == 3"),
        ("<!-- test: skip it would never end -->\n```sh", "sleep infinity"),
        ("```console", "$ this is only shown"),
    )
    project.names = "given = 2"
    follow(page, project)


def test_blocks_change_files_of_the_copy_alone(page: Page, project: ProjectCopy) -> None:
    """And the commands that follow see the change: what they import is the copy's."""
    write(
        page,
        ('```python title="app/extra.py"', "def first():\n    return 1"),
        ('```python title="app/extra.py"', "second = 2"),
        ("<!-- test: insert app/ex*.py after return 1 -->\n```python", "    # no more"),
        ("<!-- test: replace app/extra.py line second = 2 -->\n```python", "second = 3"),
        ("```python", "from app import extra\nassert (extra.first(), extra.second) == (1, 3)"),
        ("```sh", "python -c 'import app.extra, hedgerow; print(hedgerow.__file__)'"),
    )
    follow(page, project)
    text = (project.folder / "app" / "extra.py").read_text()
    assert text == "def first():\n    return 1\n    # no more\n\n\nsecond = 3\n"
    assert not (PROJECT / "app" / "extra.py").exists()
    assert str(project.folder) in project.sh("python -c 'import hedgerow; print(hedgerow)'")


def test_a_project_that_has_what_a_page_makes_skips_the_page(project: ProjectCopy) -> None:
    """Its user has followed the page, or chosen the same name for a model."""
    with pytest.raises(pytest.skip.Exception, match=r"app/models\.py .* has Item already"):
        project.write("app/models.py", "class Item(SQLModel):\n    pass\n")
    project.write("app/models.py", "class ItemOfTheTest(SQLModel):\n    pass\n")


def test_the_copy_is_installed_as_scripts_see_it(project: ProjectCopy) -> None:
    """So nothing is installed where a page runs a script."""
    assert project.sh("scripts/install && scripts/install --runtime") == ""
    assert str(project.folder) in project.sh(
        "hedgerow psql -- -tAc 'SELECT 1' && command -v hedgerow"
    )


def test_what_running_needs_is_installed_without_what_working_needs(project: ProjectCopy) -> None:
    """`scripts/dev` waits for no test tools; the next `scripts/test` adds them."""
    stamp = project.folder / ".venv" / "installed"
    everything = stamp.read_text()
    runtime, package, _ = everything.splitlines(keepends=True)
    stamp.write_text(runtime + package)
    # pip takes what the copy shares with this environment to be installed already; uv does not.
    uv = project.folder / ".venv" / "bin" / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n")
    uv.chmod(0o755)
    assert project.sh("scripts/install --runtime") == ""
    assert stamp.read_text() == runtime + package
    assert "requirements-dev.txt" in project.sh("scripts/install")
    assert stamp.read_text() == everything


def test_a_page_with_nothing_to_run_needs_no_project(page: Page) -> None:
    write(page, ("```text", "a"), ("```sql", "SELECT 1"), ("<!-- test: skip so -->\n```sh", "b"))
    assert [is_run(block) for block in page.blocks()] == [False, False, False]
