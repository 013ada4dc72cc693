"""One row read or written in each way that an application may use: ORM, Core, SQL as text."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from tests.hedgerow.tenants.firm import Firm
from tests.hedgerow.tenants.rows import Key, Row

Way = Literal["orm", "core", "text"]


def read(session: Session, way: Way, firm: Firm, name: str) -> list[Row]:
    """Return all rows that the session sees of a table."""
    table = firm.tables[name]
    if way == "orm":
        names = table.columns.keys()
        found = session.scalars(
            select(firm.classes[name]).execution_options(populate_existing=True)
        )
        return [{column: getattr(one, column) for column in names} for one in found]
    return [dict(row) for row in _execute(session, way, select(table)).mappings()]


def add(
    session: Session, way: Way, firm: Firm, name: str, row: Row, *, returning: bool = False
) -> int:
    """Insert a row, and return 1; the ORM needs no RETURNING."""
    if way == "orm":
        one = firm.classes[name]()
        for column, value in row.items():
            setattr(one, column, value)
        session.add(one)
        session.flush()
        return 1
    table = firm.tables[name]
    statement = insert(table).values(row).inline()
    if not returning:
        return _execute(session, way, statement).rowcount
    return len(_execute(session, way, statement.returning(*table.columns)).all())


def change(
    session: Session, way: Way, firm: Firm, name: str, key: tuple[Key, ...], values: Row
) -> int:
    """Change a row by its key, and return how many that were."""
    table = firm.tables[name]
    if way != "orm":
        return _execute(session, way, update(table).where(_is(table, key)).values(values)).rowcount
    one = session.get(firm.classes[name], key)
    if one is None:
        return 0
    for column, value in values.items():
        setattr(one, column, value)
    return _flushed(session)


def remove(session: Session, way: Way, firm: Firm, name: str, key: tuple[Key, ...]) -> int:
    """Delete a row by its key, and return how many that were."""
    table = firm.tables[name]
    if way != "orm":
        return _execute(session, way, delete(table).where(_is(table, key))).rowcount
    one = session.get(firm.classes[name], key)
    if one is None:
        return 0
    session.delete(one)
    return _flushed(session)


def _flushed(session: Session) -> int:
    """Return how many rows the flush of one writes: the ORM tells where a statement finds none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SAWarning)
        try:
            session.flush()
        except (StaleDataError, SAWarning):
            return 0
    return 1


def _is(table: Table, key: tuple[Key, ...]) -> ColumnElement[bool]:
    columns = table.primary_key.columns.values()
    return and_(*(column == value for column, value in zip(columns, key, strict=True)))


def _execute(
    session: Session, way: Way, statement: Select[Any] | Insert | Update | Delete
) -> CursorResult[Any]:
    connection = session.connection()
    if way == "core":
        return connection.execute(statement, execution_options={"preserve_rowcount": True})
    literal: Mapping[str, Any] = {"literal_binds": True}
    return connection.exec_driver_sql(str(statement.compile(connection, compile_kwargs=literal)))
