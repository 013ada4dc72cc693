"""Follow a page as a person does: block after block, as they are written."""

import re
import textwrap
from pathlib import Path

import psycopg

from tests.docs.support.pages import Block, Page
from tests.docs.support.project import ProjectCopy, one_file
from tests.support.raw import connect

SHELL = {"sh", "bash", "shell"}
PYTHON = {"python", "py"}
_SERVER = re.compile(r"(?:127\.0\.0\.1|localhost):8000")


class BlockError(AssertionError):
    """A block of a page does not do what the page says."""


def is_run(block: Block) -> bool:
    """Whether following the page needs a project for this block."""
    verb = (block.directive or "").split(" ")[0]
    if verb == "skip":
        return False
    return block.language in SHELL | PYTHON or (block.language, verb) == ("sql", "as")


def follow(page: Page, project: ProjectCopy) -> None:
    """Run every block of a page that claims to work; raises BlockError at the first that fails."""
    follower = _Follower(project)
    for block in page.blocks():
        try:
            follower.do(block)
        except AssertionError as error:
            raise BlockError(f"{page.name}:{block.line}: {error}\n\n{block.text}") from error


def write_files(page: Page, project: ProjectCopy) -> None:
    """Do only what changes files: what the page's reader has in the end, without running it."""
    follower = _Follower(project)
    for block in page.blocks():
        verb = (block.directive or "").partition(" ")[0]
        if block.title is not None or verb in {"insert", "replace"}:
            follower.do(block)


class _Follower:
    def __init__(self, project: ProjectCopy) -> None:
        self._project = project
        self._output = ""

    def do(self, block: Block) -> None:
        verb, _, rest = (block.directive or "run").partition(" ")
        match verb:
            case "skip":
                assert rest, "the reason for `skip` is missing"
            case "shown":
                check_shown(block, self._project.folder)
            case "append":
                self._project.append(rest, textwrap.dedent(block.text))
            case "server":
                self._project.address()
            case "insert" | "replace":
                path, _, line = rest.partition(" after " if verb == "insert" else " line ")
                text = textwrap.dedent(block.text)
                self._project.change(path, line, text, keep=verb == "insert")
            case "output":
                self._compare(block)
            case "as":
                self._run_sql(block, rest)
            case "fails":
                self._run(block, fails=True)
            case "run":
                self._run(block)
            case _:
                raise AssertionError(f"`{block.directive}` is nothing that a test does")

    def _run(self, block: Block, *, fails: bool = False) -> None:
        text = textwrap.dedent(block.text)
        if _SERVER.search(text) and block.language in SHELL | PYTHON:
            text = _SERVER.sub(self._project.address(), text)
        if block.language in SHELL:
            code, self._output = self._project.run_shell(text, fails=fails)
        elif block.language in PYTHON and block.title is None:
            code, self._output = self._project.run_python(text)
        elif block.language in PYTHON and block.title is not None:
            self._project.write(block.title, text)
            return
        else:
            assert not fails, "only shell and Python blocks can fail"
            return
        assert (code != 0) == fails, f"exit code {code}\n{self._output}"

    def _run_sql(self, block: Block, who: str) -> None:
        assert (block.language, who) == ("sql", "owner"), "only SQL runs as somebody: the owner"
        with connect(self._project.database.owner_url) as owner:
            try:
                owner.execute(block.text)
            except psycopg.Error as error:
                raise AssertionError(str(error)) from error
            owner.commit()

    def _compare(self, block: Block) -> None:
        for line in filter(str.strip, block.text.splitlines()):
            pattern = ".*".join(map(re.escape, line.strip().split("…")))
            assert re.search(pattern, self._output), f"{line!r} is not in\n{self._output}"


def check_shown(block: Block, folder: Path) -> None:
    """Raise AssertionError where a line of the block does not stand in the file that it names."""
    _, _, name = (block.directive or "").partition(" in ")
    text = one_file(folder, name).read_text(encoding="utf-8")
    missing = [line for line in block.text.splitlines() if line.strip() not in text]
    assert not missing, f"{name} lacks {missing}"
