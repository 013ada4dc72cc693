"""Every block of every page that claims to work does work: see tests/docs/support/__init__.py."""

import re

import pytest

from tests.docs.support.following import follow, is_run
from tests.docs.support.pages import Page, all_pages
from tests.docs.support.preparing import left_over, preparation_of
from tests.docs.support.project import ProjectCopy

PAGES = all_pages()
FOLLOWED = [page for page in PAGES if any(map(is_run, page.blocks()))]


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_a_page_can_be_followed(page: Page, project: ProjectCopy) -> None:
    project.is_about_dev = "scripts/dev" in page.path.read_text(encoding="utf-8")
    preparation = preparation_of(page)
    preparation.prepare(project)
    follow(page, project)
    preparation.finish(project)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_stands_in_a_step_is_indented_as_the_site_needs(page: Page) -> None:
    """Of a list's item, GitHub takes what has three spaces before it; the site wants four."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r" {1,3}(```|<!-- test)", line)] == []


def test_every_preparation_belongs_to_a_page() -> None:
    assert left_over(FOLLOWED) == []
