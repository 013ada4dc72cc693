"""Links within the project lead somewhere, to the anchor if they name one."""

import re
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.support.pages import Page, all_pages
from tests.support.databases import PROJECT


def broken(page: Page) -> list[str]:
    return [link for link in page.links() if not leads_somewhere(page, link)]


def leads_somewhere(page: Page, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme in {"http", "https", "mailto"}:
        return True
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
    if not target.is_file() or not target.is_relative_to(PROJECT):
        return False
    return not parts.fragment or (
        target.suffix == ".md" and parts.fragment in Page(target).anchors()
    )


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_no_link_is_broken(page: Page) -> None:
    assert broken(page) == []


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("explanation/architecture.md", True),
        ("explanation/architecture.md#the-path-of-a-request", True),
        ("explanation/architecture.md#nowhere", False),
        ("explanation/none.md", False),
        ("../README.md#a-tour-of-one-minute", True),
        ("../../outside.md", False),
        ("explanation", False),
        ("#nowhere", False),
    ],
)
def test_a_broken_link_is_found(link: str, good: bool) -> None:
    assert leads_somewhere(Page(PROJECT / "docs" / "index.md"), link) is good


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_path_of_the_engine_that_a_page_names_exists(page: Page) -> None:
    named = re.findall(r"`(hedgerow/[\w/]+(?:\.\w+)?)`", page.path.read_text(encoding="utf-8"))
    assert [path for path in named if not (PROJECT / path).exists()] == []
