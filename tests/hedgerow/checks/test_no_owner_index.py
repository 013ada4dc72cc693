"""H124 says of an index that no model has that the next revision would drop it."""

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, func

from hedgerow.checks.no_owner_index import is_declared


@pytest.mark.parametrize(
    ("columns", "declared"),
    [(("owner_id",), True), (("owner_id", "title"), True), (("title", "owner_id"), False)],
)
def test_an_index_of_the_model_leads_with_the_column(
    columns: tuple[str, ...], declared: bool
) -> None:
    table = Table("page", MetaData(), Column("owner_id", Integer), Column("title", Integer))
    Index("ix_page", *(table.c[column] for column in columns))
    Index("ix_page_upper", func.upper(table.c.title))
    assert is_declared(table, "owner_id") is declared
