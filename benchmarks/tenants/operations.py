"""The statements: as they are written where policies apply, and in the two ways of a hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import CursorResult, text

from benchmarks.tenants.schema import WRITERS, Data

Form = Literal["policy", "join", "array"]
"""With policies alone, joined with the memberships, or with the user's tenants as an array."""

PAGE = 100

_ROLES = ", ".join(f"'{role}'" for role in WRITERS)
_MINE = "m.team_id = d.team_id AND m.user_id = :user"
_WRITTEN = f"m.user_id = :user AND m.role IN ({_ROLES})"
_TENANTS = "ANY (ARRAY(SELECT team_id FROM membership WHERE user_id = :user))"
_WRITABLE = f"ANY (ARRAY(SELECT m.team_id FROM membership AS m WHERE {_WRITTEN}))"
_NEWEST = f"ORDER BY d.created_at DESC, d.id DESC LIMIT {PAGE}"
_ROW = "CAST(:id AS uuid), CAST(:tenant AS uuid), :title, :title, CAST(:now AS timestamptz)"


@dataclass(frozen=True)
class Operation:
    """One statement in its three forms, with its parameters by number, and what it must give."""

    name: str
    forms: Mapping[Form, str]
    parameters: Callable[[Data, int], Mapping[str, Any]]
    outcome: Callable[["CursorResult[Any]"], int]
    expected: Callable[[Data], int]
    writes: bool = False

    @property
    def bulk(self) -> bool:
        """Whether one call is many rows."""
        return False


def _read(columns: str, where: str = "", more: str = "") -> Mapping[Form, str]:
    """Return the forms of a SELECT."""
    also = f" AND {where}" if where else ""
    return {
        "policy": f"SELECT {columns} FROM document AS d{where and f' WHERE {where}'} {more}",
        "join": f"SELECT {columns} FROM document AS d JOIN membership AS m ON {_MINE}"
        f"{where and f' WHERE {where}'} {more}",
        "array": f"SELECT {columns} FROM document AS d WHERE d.team_id = {_TENANTS}{also} {more}",
    }


def _asking(data: Data, number: int) -> Mapping[str, Any]:
    return {"user": data.user}


def _in_one(data: Data, number: int) -> Mapping[str, Any]:
    return {"user": data.user, "tenant": data.tenant}


def _one(data: Data, number: int) -> Mapping[str, Any]:
    return {"user": data.user, "id": data.own[number % len(data.own)]}


def _changed(data: Data, number: int) -> Mapping[str, Any]:
    return {**_one(data, number), "title": f"Note {number:08}"}


def _added(data: Data, number: int) -> Mapping[str, Any]:
    return {**_in_one(data, number), "id": uuid4(), "title": "Note", "now": datetime.now(UTC)}


def _rows(result: "CursorResult[Any]") -> int:
    return len(result.all())


OPERATIONS = (
    Operation(
        f"newest {PAGE}",
        _read("d.id, d.title", more=_NEWEST),
        _asking,
        _rows,
        lambda data: min(PAGE, data.seen),
    ),
    Operation(
        f"newest {PAGE} of one",
        _read("d.id, d.title", "d.team_id = :tenant", _NEWEST),
        _in_one,
        _rows,
        lambda data: min(PAGE, data.seen // data.tenants),
    ),
    Operation(
        "count", _read("count(*)"), _asking, lambda r: int(r.scalar_one()), lambda data: data.seen
    ),
    Operation("read by id", _read("d.id, d.title", "d.id = :id"), _one, _rows, lambda _: 1),
    Operation(
        "insert",
        {
            "policy": f"INSERT INTO document VALUES ({_ROW})",
            "join": f"INSERT INTO document SELECT {_ROW} FROM membership AS m"
            f" WHERE m.team_id = :tenant AND {_WRITTEN}",
            "array": f"INSERT INTO document SELECT {_ROW} WHERE :tenant = {_WRITABLE}",
        },
        _added,
        lambda result: result.rowcount,
        lambda _: 1,
        writes=True,
    ),
    Operation(
        "update",
        {
            "policy": "UPDATE document SET title = :title WHERE id = :id",
            "join": "UPDATE document AS d SET title = :title FROM membership AS m"
            f" WHERE d.id = :id AND m.team_id = d.team_id AND {_WRITTEN}",
            "array": f"UPDATE document SET title = :title WHERE id = :id AND team_id = {_WRITABLE}",
        },
        _changed,
        lambda result: result.rowcount,
        lambda _: 1,
        writes=True,
    ),
)
"""Reads first: what writes leave behind does not slow them."""

FOREIGN = text("UPDATE document SET title = title WHERE id = :id")
"""Of another tenant's row this must change none."""
