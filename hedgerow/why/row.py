"""Find a row past its policies, and hold it on the server for conditions to be tried on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import (
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import table as table_clause
from sqlalchemy.exc import DataError, ProgrammingError
from sqlalchemy.types import UserDefinedType

from hedgerow import sql
from hedgerow.catalogs.tables import LiveTable, tables_by_name
from hedgerow.errors import ConfigurationError, DatabaseNotReadyError
from hedgerow.sessions.begin import set_locally

_SETTING: Final = "hedgerow.held_row"
HELD_ROW: Final = f"current_setting('{_SETTING}')"
"""SQL for the row that `hold` found, as text; its values never leave the server."""

# -1, or a `character(8)` would be named, and cut off, as one of length 1.
_TYPES = text("""
    SELECT attname AS name, format_type(atttypid, -1) AS type
    FROM pg_attribute WHERE attrelid = :table AND attname = ANY(:names)
""")


class _ServerType(UserDefinedType[object]):
    """A type as the server spells it."""

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: object) -> str:
        return self.spelling


def live_table(connection: Connection, table: Table) -> LiveTable:
    """Return the table; raises DatabaseNotReadyError where the database has none."""
    target = sql.table_name(table.name, table.schema)
    found = tables_by_name(connection, [target]).get(target)
    if found is None:
        raise DatabaseNotReadyError(
            f"The database has no table {table.fullname!r}: run `alembic upgrade head`."
        )
    return found


@contextmanager
def names_in_full(connection: Connection) -> Iterator[None]:
    """Have the server spell names with their schemas, whatever the search_path of a request is.

    Only spelling: a function in a condition may rely on the search_path.
    """
    savepoint = connection.begin_nested()
    try:
        set_locally(connection, {"search_path": ""})
        yield
    finally:
        savepoint.rollback()


def held_row(table: LiveTable) -> str:
    """Return a FROM item that is the row of `table` that is held, under its table's name.

    Conditions refer to it by that name inside sub-selects.
    """
    return f"unnest(ARRAY[{HELD_ROW}::{table.sql}]) AS {sql.name(table.name)}"


def held_values(
    connection: Connection, table: LiveTable, columns: Sequence[str]
) -> tuple[str | None, ...]:
    """Return values of the row of `table` that is held, as text."""
    if not columns:
        return ()
    named = ", ".join(f"{sql.name(table.name)}.{sql.name(column)}::text" for column in columns)
    asked = sql.Statement(f"SELECT {named} FROM {held_row(table)}")  # noqa: S608
    return tuple(connection.execute(asked).one())


def hold(connection: Connection, table: LiveTable, key: Mapping[str, str]) -> bool:
    """Find the row as the transaction's current role, and hold it; False where there is none.

    Raises ConfigurationError where a value cannot be of its column's type, and a SQLAlchemy
    ProgrammingError where the transaction may not read the table past its policies.
    """
    named = {"table": table.oid, "names": list(key)}
    with names_in_full(connection):
        types: dict[str, str] = {row.name: row.type for row in connection.execute(_TYPES, named)}
    if missing := sorted(set(key) - set(types)):
        raise DatabaseNotReadyError(
            f"Table {table.name!r} has no column {missing[0]!r}: run `alembic upgrade head`."
        )
    row = table_clause(table.name, *map(column, key), schema=table.schema).alias("hedgerow_row")
    whole = cast(literal_column("hedgerow_row"), Text)
    found = select(func.set_config(_SETTING, whole, True)).select_from(row)
    for name, value in key.items():
        given = bindparam(None, value, Text())
        found = found.where(row.columns[name] == cast(given, _ServerType(types[name])))
    savepoint = connection.begin_nested()
    try:
        held = connection.execute(found).first() is not None
    except (DataError, ProgrammingError) as error:
        savepoint.rollback()
        if isinstance(error, DataError):
            wanted = ", ".join(f"{name} ({types[name]})" for name in key)
            raise ConfigurationError(
                f"{', '.join(map(repr, key.values()))} cannot be the key of {table.name!r}, which"
                f" is {wanted}."
            ) from None
        raise
    savepoint.commit()
    return held
