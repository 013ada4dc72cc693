"""What a person can set, call or be told is documented, and as the code has it."""

import re
from collections.abc import Iterator

import pytest

from app.core.config import Settings
from hedgerow.checks import CHECKS
from hedgerow.lint import RULES
from scripts import _rooms
from scripts._reference import PARTS, REFERENCE, outdated, pages, rewritten
from tests.docs.support.pages import all_pages
from tests.support.databases import PROJECT


def test_the_generated_parts_are_up_to_date() -> None:
    """The fix is `scripts/docs --write`."""
    assert [page.name for page in outdated()] == []


def test_every_part_that_can_be_generated_is_on_a_page() -> None:
    text = "".join(pages().values())
    assert set(re.findall(r"<!-- generated: (\S+) -->", text)) == set(PARTS)


def test_the_picture_of_the_rooms_leads_wherever_their_imports_do() -> None:
    imports = _rooms.imports()
    arrows: dict[str, set[str]] = {room: set() for room in imports}
    for room, other in re.findall(r"(\w+) --> (\w+)", _rooms.picture()):
        arrows[room].add(other)
    assert "errors" in imports["connect"]
    for room, others in imports.items():
        assert arrows[room] <= others <= _rooms.reached(room, arrows)


def test_an_outdated_part_is_found_and_what_is_around_it_stays() -> None:
    page = "before\n<!-- generated: settings -->\nold\n<!-- /generated -->\nafter\n"
    new = rewritten(page)
    assert new.startswith("before\n<!-- generated: settings -->\n\n| setting |")
    assert new.endswith("|\n\n<!-- /generated -->\nafter\n")
    assert rewritten(new) == new


def test_the_example_of_an_environment_names_every_setting() -> None:
    text = (PROJECT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
    assert sorted(set(named)) == sorted(Settings.model_fields)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.number)
def test_every_check_has_a_page_and_a_row(check: object) -> None:
    number, title, level = (getattr(check, name) for name in ("number", "title", "level"))
    page = (REFERENCE / "checks" / f"{number}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {number}: {title}\n\nLevel: **{level.value}**")
    index = (REFERENCE / "checks" / "index.md").read_text(encoding="utf-8")
    assert f"| [{number}]({number}.md) | {level.value} | {title} |" in index


def test_no_page_is_about_a_check_that_is_none() -> None:
    pages = {page.stem for page in (REFERENCE / "checks").glob("H*.md")}
    assert pages == {check.number for check in CHECKS}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.number)
def test_every_lint_rule_has_a_section_and_a_row(rule: object) -> None:
    number, title, level = (getattr(rule, name) for name in ("number", "title", "level"))
    page = (REFERENCE / "lint.md").read_text(encoding="utf-8")
    assert f"\n### {number}: {title}\n" in page
    assert f"| {number} | {level.value} | {title} |" in page


def mentions(pattern: str) -> Iterator[tuple[str, str]]:
    for page in all_pages():
        for found in re.findall(pattern, page.path.read_text(encoding="utf-8")):
            yield page.name, found


def test_no_page_names_a_check_or_rule_that_is_none() -> None:
    known = {check.number for check in CHECKS} | {rule.number for rule in RULES}
    assert [one for one in mentions(r"\b[HL]1\d\d\b") if one[1] not in known] == []


def test_no_page_names_a_setting_that_is_none() -> None:
    known = set(Settings.model_fields)
    named = mentions(r"\b(?:RLS|POSTGRES|SMTP|FIRST|EMAILS?|DATABASE)_[A-Z_]*[A-Z]\b")
    assert [one for one in named if one[1] not in known] == []
