"""The statements that are measured, each in two spellings: policies filter, or a WHERE does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select
from sqlalchemy.dialects import postgresql

from hedgerow.config.identity import UserId

PAGE = 20
COUNT, FIRST_PAGE, BY_ID = OPERATIONS = ("count", "first page", "get by id")


@dataclass(frozen=True)
class Question:
    """One statement as requests send it, and with the owner compared by hand."""

    operation: str
    plain: Select[Any]
    by_hand: Select[Any] | None
    order: str | None = None


def count(table: Table, mine: ColumnElement[bool] | None) -> Question:
    """Ask how many rows the user has."""
    return _question(COUNT, select(func.count()).select_from(table), mine)


def first_page(
    table: Table, mine: ColumnElement[bool] | None, order: Sequence[ColumnElement[Any]]
) -> Question:
    """Ask for the user's first rows, in an order."""
    page = select(table).order_by(*order).limit(PAGE)
    return _question(FIRST_PAGE, page, mine, ", ".join(map(_spelled, order)))


def by_id(table: Table, mine: ColumnElement[bool] | None, key: Sequence[Any]) -> Question:
    """Ask for one row of the user's."""
    columns = table.primary_key.columns
    pairs = [column == value for column, value in zip(columns, key, strict=True)]
    return _question(BY_ID, select(table).where(*pairs), mine)


def owned_by(table: Table, column: str, user: UserId) -> ColumnElement[bool]:
    """Return the condition that an application without row security writes."""
    return table.c[column] == user


def _question(
    operation: str,
    statement: Select[Any],
    mine: ColumnElement[bool] | None,
    order: str | None = None,
) -> Question:
    by_hand = None if mine is None else statement.where(mine)
    return Question(operation, statement, by_hand, order)


def _spelled(element: ColumnElement[Any]) -> str:
    """Return a part of ORDER BY, without the table's name."""
    compiled = element.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"include_table": False},
    )
    return str(compiled)
