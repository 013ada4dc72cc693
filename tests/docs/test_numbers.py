"""What a page counts is as many as it says."""

import re

import pytest

from hedgerow import RoleNames
from hedgerow.checks import CHECKS
from hedgerow.lint import RULES
from tests.docs.support.pages import Page, all_pages
from tests.docs.test_security_model import NUMBERS
from tests.support.databases import PROJECT

OTHERS = ("AGENTS.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*all_pages(), *(Page(PROJECT / name) for name in OTHERS)]
COUNTED = {
    r"(\d+) checks\b": len(CHECKS),
    r"(\d+) (?:pitfalls\b|ways in which row)": len(NUMBERS),
    r"\bP1 to P(\d+)\b": len(NUMBERS),
    r"(\d+) rules\b": len(RULES),
    r"(\d+) (?:database )?roles\b": len(RoleNames.__dataclass_fields__),
}


def wrong(text: str) -> list[str]:
    return [
        found[0]
        for pattern, number in COUNTED.items()
        for found in re.finditer(pattern, " ".join(text.split()))
        if int(found[1]) != number
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_counts_right(page: Page) -> None:
    assert wrong(page.path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["1 checks", "each of 48 pitfalls", "P1 to P3", "4\nroles"])
def test_a_wrong_number_is_found(text: str) -> None:
    assert len(wrong(text)) == 1
