"""The security model names each pitfall once, with tests that exist and are about it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hedgerow.checks import CHECKS
from tests.docs.support.pages import all_pages
from tests.hedgerow.checks.faults import FAULTS
from tests.support.databases import PROJECT

PAGE = PROJECT / "docs" / "security" / "model.md"
NUMBERS = [f"P{number}" for number in range(1, 59)]

# Its parameters are all faults; a number belongs to it through the check that finds one of them.
_FAULTS_TEST = "tests/hedgerow/checks/test_faults.py"
_PITFALLS = {check.number: check.pitfalls for check in CHECKS}
_PLANTED = {fault.check for fault in FAULTS}


@dataclass(frozen=True)
class Row:
    """One line of the tables: a pitfall, what stands against it and its tests."""

    number: str
    guard: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    line = re.compile(r"^\| (P\d+) \|[^|]+\|([^|]+)\|([^|]+)\|$", re.MULTILINE)
    return [
        Row(number, guard, tuple(re.findall(r"`([^`]+)`", tests)))
        for number, guard, tests in line.findall(PAGE.read_text(encoding="utf-8"))
    ]


def faults(row: Row) -> Iterator[str]:
    """Yield what is wrong with a row, in a few words each."""
    if not row.tests:
        yield "no test"
    for test in row.tests:
        path, _, function = test.partition("::")
        file = PROJECT / path
        if not file.is_file():
            yield f"no file {path}"
            continue
        text = file.read_text(encoding="utf-8")
        if function and function not in _functions(text):
            yield f"no {function} in {path}"
        if not (_cites(text, row.number) or (path == _FAULTS_TEST and _is_planted(row))):
            yield f"{path} is not about {row.number}"


def _functions(text: str) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _cites(text: str, number: str) -> bool:
    return re.search(rf"\b{number}\b", text) is not None


def _is_planted(row: Row) -> bool:
    named = set(re.findall(r"\bH\d{3}\b", row.guard)) & _PLANTED
    return any(row.number in _PITFALLS[check] for check in named)


def test_every_pitfall_has_one_row() -> None:
    assert [row.number for row in rows()] == NUMBERS


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row.number))
def test_the_tests_of_a_row_exist_and_are_about_it(row: Row) -> None:
    assert list(faults(row)) == []


@pytest.mark.parametrize(
    ("tests", "guard", "fault"),
    [
        ((), "H111", "no test"),
        (("tests/no_such_file.py",), "H111", "no file tests/no_such_file.py"),
        ((f"{_FAULTS_TEST}::test_nothing",), "H111", f"no test_nothing in {_FAULTS_TEST}"),
        ((_FAULTS_TEST,), "H112", f"{_FAULTS_TEST} is not about P6"),
        (("tests/hedgerow/test_sql.py",), "H111", "tests/hedgerow/test_sql.py is not about P6"),
    ],
)
def test_a_wrong_row_is_found(tests: tuple[str, ...], guard: str, fault: str) -> None:
    assert list(faults(Row("P6", guard, tests))) == [fault]


@pytest.mark.parametrize("folder", ["reference", "security"])
def test_a_page_that_says_a_pitfalls_number_links_to_what_it_means(folder: str) -> None:
    unexplained = [
        page.name
        for page in all_pages()
        if page.path != PAGE
        and page.path.parent == PROJECT / "docs" / folder
        and re.search(r"\bP\d{1,2}\b", page.path.read_text(encoding="utf-8"))
        and not any(link.partition("#")[0].endswith("model.md") for link in page.links())
    ]
    assert unexplained == []
