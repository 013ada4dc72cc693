"""What the how-tos tell people to write is what the tests write."""

import textwrap

import pytest

from tests.migrations.test_adopting_the_official_template import BACKFILL
from tests.migrations.test_models import RENAME
from tests.migrations.test_scoping_an_existing_table import EDITED, GENERATED
from tests.support.databases import PROJECT


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("adopt-the-official-template", BACKFILL),
        ("migrations", "\n".join(RENAME)),
        ("scope-an-existing-table", GENERATED),
        ("scope-an-existing-table", EDITED),
    ],
)
def test_the_page_shows_what_is_tested(page: str, code: str) -> None:
    text = (PROJECT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    shown = {line.strip() for line in text.splitlines()}
    assert [line for line in textwrap.dedent(code).splitlines() if line.strip() not in shown] == []
