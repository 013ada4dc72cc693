"""What is measured: statements as an application writes them, and what each must return.

A variant with row security sends them as they stand. The floor adds by hand what the policy would:
`WHERE owner_id = ...`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Executable, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from benchmarks.database.schema import ITEM, MATCHING, PAGE, Data

BULK = 1000
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class WrongRowsError(Exception):
    """A statement returned or changed other rows than it should."""


@dataclass(frozen=True)
class Call:
    """One execution: its parameters, what it must give, and the rows it adds or takes."""

    parameters: Parameters
    expected: Any
    added: tuple[UUID, ...] = ()
    removed: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Operation:
    """A statement in both spellings, its calls by number, and how its result is read."""

    name: str
    plain: Executable
    filtered: Executable
    call: Callable[[Data, bool, int], Call]
    read: Callable[[Any], Any]
    writes: bool = False
    bulk: bool = False

    def statement(self, by_hand: bool) -> Executable:
        return self.filtered if by_hand else self.plain

    def run(self, session: Session, statement: Executable, call: Call) -> Any:
        """Execute and fetch; this is what is timed."""
        return self.read(session.execute(statement, call.parameters))

    def check(self, call: Call, outcome: Any) -> None:
        """Raise WrongRowsError unless the outcome is the right one."""
        if outcome != call.expected:
            raise WrongRowsError(
                f"{self.name}: expected {_short(call.expected)}, got {_short(outcome)}"
            )


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) < 200 else f"{repr(value)[:200]}..."


_mine = ITEM.c.owner_id == bindparam("owner")
_this = ITEM.c.id == bindparam("item")
_ordered = select(ITEM).order_by(ITEM.c.created_at.desc(), ITEM.c.id.desc()).limit(PAGE)


def _ids(result: Any) -> list[UUID]:
    return [row.id for row in result]


def _count(result: Any) -> int:
    return int(result.scalar_one())


def _affected(result: Any) -> int:
    return int(result.rowcount)


def _returned(result: Any) -> int:
    return len(result.all())


def _owner(data: Data, by_hand: bool) -> dict[str, Any]:
    return {"owner": data.user} if by_hand else {}


def _first_page(data: Data, by_hand: bool, number: int) -> Call:
    return Call(_owner(data, by_hand), [row["id"] for row in data.own[:PAGE]])


def _all(data: Data, by_hand: bool, number: int) -> Call:
    return Call(_owner(data, by_hand), len(data.own))


def _found(data: Data, by_hand: bool, number: int) -> Call:
    ids = [row["id"] for row in data.own if MATCHING.strip("%") in row["title"]]
    return Call(_owner(data, by_hand), ids[:PAGE])


def _target(data: Data, number: int) -> dict[str, Any]:
    return data.own[number % len(data.own)]


def _one(data: Data, by_hand: bool, number: int) -> Call:
    target = _target(data, number)["id"]
    return Call({**_owner(data, by_hand), "item": target}, [target])


def _changed(data: Data, by_hand: bool, number: int) -> Call:
    values = {"item": _target(data, number)["id"], "new_title": f"Note {number:08}"}
    return Call({**_owner(data, by_hand), **values}, 1)


def _removed(data: Data, by_hand: bool, number: int) -> Call:
    target = _target(data, number)
    return Call({**_owner(data, by_hand), "item": target["id"]}, 1, removed=(target,))


def _new_rows(data: Data, number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid4(),
            "owner_id": data.user,
            "title": f"Note {number}",
            "description": "What it is about. ",
            "created_at": datetime.now(UTC),
        }
        for _ in range(number)
    ]


def _added(data: Data, by_hand: bool, number: int) -> Call:
    (row,) = _new_rows(data, 1)
    return Call(row, 1, added=(row["id"],))


def _added_many(data: Data, by_hand: bool, number: int) -> Call:
    rows = _new_rows(data, BULK)
    return Call(rows, BULK, added=tuple(row["id"] for row in rows))


_count_all = select(func.count()).select_from(ITEM)
_search = _ordered.where(ITEM.c.title.like(MATCHING))
_get = select(ITEM).where(_this)
_update = update(ITEM).where(_this).values(title=bindparam("new_title"))
_delete = delete(ITEM).where(_this)
# Without the option SQLAlchemy forgets how many rows an INSERT made.
_insert = insert(ITEM).execution_options(preserve_rowcount=True)
_insert_returning = insert(ITEM).returning(ITEM.c.id)

OPERATIONS = (
    Operation("newest 20", _ordered, _ordered.where(_mine), _first_page, _ids),
    Operation("count", _count_all, _count_all.where(_mine), _all, _count),
    Operation("get by id", _get, _get.where(_mine), _one, _ids),
    Operation("search", _search, _search.where(_mine), _found, _ids),
    Operation("update", _update, _update.where(_mine), _changed, _affected, writes=True),
    Operation("insert", _insert, _insert, _added, _affected, writes=True),
    Operation("delete", _delete, _delete.where(_mine), _removed, _affected, writes=True),
    Operation(
        "bulk insert of 1,000", _insert, _insert, _added_many, _affected, writes=True, bulk=True
    ),
    Operation(
        "bulk insert of 1,000, returning ids",
        _insert_returning,
        _insert_returning,
        _added_many,
        _returned,
        writes=True,
        bulk=True,
    ),
)
"""Reads first: what writes leave behind does not slow them. The two bulk inserts are SQLAlchemy's
two ways: without RETURNING it sends a statement for each row, in a pipeline; with it one statement
for all."""
