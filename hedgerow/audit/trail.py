"""Read the audit trail: its table, and the queries that list entries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    LargeBinary,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

# A MetaData of its own: autogenerate must not take this for a table of the project's.
audit = Table(
    "audit",
    MetaData(schema="rls"),
    Column("id", BigInteger, primary_key=True),
    Column("position", BigInteger),
    Column("at", DateTime(timezone=True)),
    Column("event", Text),
    Column("elevation", BigInteger),
    Column("user_id", Text),
    Column("role", Text),
    Column("login", Text),
    Column("reason", Text),
    Column("method", Text),
    Column("path", Text),
    Column("request_id", Text),
    Column("transaction", Text),
    Column("table_name", Text),
    Column("row_key", JSONB),
    Column("owner", Text),
    Column("command", Text),
    Column("columns", ARRAY(Text)),
    Column("changes", JSONB),
    Column("previous", LargeBinary),
    Column("hash", LargeBinary),
    Column("tenant", Text),
)
"""The entries; see docs/explanation/audit.md for what each column means."""


class Event(StrEnum):
    """What an entry is about; the table's CHECK names the same."""

    ELEVATION = "elevation"
    LOGIN = "login"
    STATEMENT = "statement"
    CHANGE = "change"
    RETENTION = "retention"


_COMPARED = ("user_id", "role", "event", "elevation", "owner", "tenant", "request_id", "login")
"""The columns that a filter of the same name is compared with."""


@dataclass(frozen=True)
class Filters:
    """Which entries to list: those that fit everything that is given.

    `since` is inclusive, `until` is not; both need a time zone. `elevation` is the id of an
    elevation's entry, and finds the changes made in it. `table` is a name, in any schema, or
    `schema.name`. Ids of users and of tenants are compared as PostgreSQL spells them: a UUID in
    lower case.
    """

    since: datetime | None = None
    until: datetime | None = None
    user_id: str | None = None
    role: str | None = None
    event: Event | None = None
    elevation: int | None = None
    table: str | None = None
    owner: str | None = None
    tenant: str | None = None
    request_id: str | None = None
    login: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield what each filter that is given asks of an entry."""
        if self.since is not None:
            yield audit.c.at >= self.since
        if self.until is not None:
            yield audit.c.at < self.until
        if self.table is not None:
            yield _names_table(self.table)
        for name in _COMPARED:
            if (value := getattr(self, name)) is not None:
                yield audit.c[name] == value


def _names_table(name: str) -> ColumnElement[bool]:
    """Compare without quotes: entries hold names as PostgreSQL spells them, `public."user"`."""
    recorded = func.replace(audit.c.table_name, '"', "")
    wanted = name.replace('"', "")
    return or_(recorded == wanted, recorded.endswith(f".{wanted}", autoescape=True))


def select_entries(filters: Filters, *, limit: int, skip: int = 0) -> Select[Any]:
    """Return the query for one page of entries, newest first; what is not chained yet is newest."""
    return (
        select(audit)
        .where(*filters.conditions())
        .order_by(audit.c.position.desc(), audit.c.id.desc())
        .limit(limit)
        .offset(skip)
    )


def count_entries(filters: Filters) -> Select[Any]:
    """Return the query that counts the entries of all pages."""
    return select(func.count()).select_from(audit).where(*filters.conditions())


def as_json(entry: RowMapping) -> Mapping[str, Any]:
    """Return an entry as JSON can hold it: its time in ISO 8601 in UTC, its hashes as hex."""
    return {name: _plain(value) for name, value in entry.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.hex() if isinstance(value, bytes) else value
