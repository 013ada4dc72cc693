"""What is measured: statements as an application writes them, and what each must return.

Variants with row security send them as they are; the floor adds `WHERE owner_id = ...`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Insert, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from benchmarks.database.schema import ITEM, MATCHING, PAGE, Data

BULK = 1000


class WrongRowsError(Exception):
    """A statement returned or changed other rows than it should."""


@dataclass(frozen=True)
class Call:
    """One execution: its parameters, what it must give, and the rows it adds or takes."""

    parameters: Any
    expected: Any
    added: tuple[UUID, ...] = ()
    removed: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Operation:
    """A statement, its calls by number, and how its result is read."""

    name: str
    plain: Any
    make: Callable[[Data, int], Call]
    read: Callable[[Any], Any]
    writes: bool = False
    bulk: bool = False

    @cached_property
    def _filtered(self) -> Any:
        own = ITEM.c.owner_id == bindparam("owner")
        return self.plain if isinstance(self.plain, Insert) else self.plain.where(own)

    def statement(self, by_hand: bool) -> Any:
        return self._filtered if by_hand else self.plain

    def call(self, data: Data, by_hand: bool, number: int) -> Call:
        call = self.make(data, number)
        if not by_hand or isinstance(self.plain, Insert):
            return call
        return replace(call, parameters={**call.parameters, "owner": data.user})

    def run(self, session: Session, statement: Any, call: Call) -> Any:
        """Execute and fetch; this is what is timed."""
        return self.read(session.execute(statement, call.parameters))

    def check(self, call: Call, outcome: Any) -> None:
        """Raise WrongRowsError unless the outcome is the right one."""
        if outcome != call.expected:
            raise WrongRowsError(
                f"{self.name}: expected {repr(call.expected)[:200]}, got {repr(outcome)[:200]}"
            )


def _ids(result: Any) -> list[UUID]:
    return [row.id for row in result]


def _affected(result: Any) -> int:
    return int(result.rowcount)


def _found(data: Data, number: int) -> Call:
    return Call({}, [r["id"] for r in data.own if MATCHING.strip("%") in r["title"]][:PAGE])


def _one(data: Data, number: int) -> Call:
    target = data.own[number % len(data.own)]["id"]
    return Call({"item": target}, [target])


def _changed(data: Data, number: int) -> Call:
    target = data.own[number % len(data.own)]["id"]
    return Call({"item": target, "new_title": f"Note {number:08}"}, 1)


def _removed(data: Data, number: int) -> Call:
    target = data.own[number % len(data.own)]
    return Call({"item": target["id"]}, 1, removed=(target,))


def _new_row(data: Data) -> dict[str, Any]:
    texts = {"title": "Note", "description": "What it is about. "}
    return {"id": uuid4(), "owner_id": data.user, "created_at": datetime.now(UTC), **texts}


def _added(data: Data, number: int) -> Call:
    row = _new_row(data)
    return Call(row, 1, added=(row["id"],))


def _added_many(data: Data, number: int) -> Call:
    rows = [_new_row(data) for _ in range(BULK)]
    return Call(rows, BULK, added=tuple(row["id"] for row in rows))


_this = ITEM.c.id == bindparam("item")
_newest = select(ITEM).order_by(ITEM.c.created_at.desc(), ITEM.c.id.desc()).limit(PAGE)
_count = select(func.count()).select_from(ITEM)
_search = _newest.where(ITEM.c.title.like(MATCHING))
_update = update(ITEM).where(_this).values(title=bindparam("new_title"))
# Without the option SQLAlchemy forgets how many rows an INSERT made.
_insert = insert(ITEM).execution_options(preserve_rowcount=True)
_returning = insert(ITEM).returning(ITEM.c.id)
_bulk = f"bulk insert of {BULK:,}"
_bulk_ids = f"{_bulk}, returning ids"

OPERATIONS = (
    Operation("newest 20", _newest, lambda d, _: Call({}, [r["id"] for r in d.own[:PAGE]]), _ids),
    Operation("count", _count, lambda d, _: Call({}, len(d.own)), lambda r: r.scalar_one()),
    Operation("get by id", select(ITEM).where(_this), _one, _ids),
    Operation("search", _search, _found, _ids),
    Operation("update", _update, _changed, _affected, writes=True),
    Operation("insert", _insert, _added, _affected, writes=True),
    Operation("delete", delete(ITEM).where(_this), _removed, _affected, writes=True),
    Operation(_bulk, _insert, _added_many, _affected, writes=True, bulk=True),
    Operation(_bulk_ids, _returning, _added_many, lambda r: len(r.all()), writes=True, bulk=True),
)
"""Reads first: what writes leave behind does not slow them. Without RETURNING SQLAlchemy sends a
statement for each row, in a pipeline; with it one statement for all."""
