"""Read the chain of the audit trail, and check each entry against the one before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, literal_column, select

from hedgerow.audit.anchor import START, Anchor
from hedgerow.audit.errors import AuditError
from hedgerow.audit.schema import digest
from hedgerow.audit.trail import Event, audit

_BATCH = 5_000
_AT_ONCE = frozenset({Event.ELEVATION, Event.LOGIN, Event.RETENTION})
"""Events that are the whole of their transaction, so they are chained as they are written."""
_CLOCK_STEPS = timedelta(minutes=5)
"""How far the server's clock may have been set back, or an entry may have waited for its place."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it shows, by position and by id of the entry, and what."""

    position: int | None
    id: int | None
    sentence: str


@dataclass(frozen=True)
class Retention:
    """What a retention says that it removed: `rows` entries, up to the position `through`."""

    position: int
    at: datetime
    through: int
    rows: int
    reason: str | None


@dataclass(frozen=True)
class _Before:
    """What the chain says before an entry."""

    link: Anchor
    latest: datetime | None = None
    """The latest time of an entry that was chained as it was written."""

    def after(self, row: Row[Any]) -> "_Before":
        """Return what the chain says after `row`."""
        latest = self.latest
        if row.event in _AT_ONCE:
            latest = max(row.at, latest or row.at)
        return _Before(Anchor(row.position, row.hash or b""), latest)


@dataclass(frozen=True)
class _Removed:
    """What a retention's entry says: it removed `rows` entries, the newest of them `through`."""

    through: Anchor
    rows: int


@dataclass(frozen=True)
class Chain:
    """What reading the whole chain found."""

    entries: int
    begins_after: Anchor
    newest: Anchor
    retained: Anchor
    """The newest link that a retention says it removed."""
    has_anchor: bool
    faults: tuple[Fault, ...]
    retentions: tuple[Retention, ...]


def fold(
    rows: Iterable[Row[Any]], anchor: Anchor | None, progress: Callable[[int], None] | None
) -> Chain:
    """Check each entry against what comes before it, oldest first."""
    entries = 0
    begins_after = retained = START
    before = _Before(START)
    has_anchor = anchor is None or anchor == START
    faults: list[Fault] = []
    retentions: list[Retention] = []
    for row in rows:
        if entries == 0:
            begins_after = Anchor(row.position - 1, row.previous or b"")
            before = _Before(begins_after)
            has_anchor |= anchor == begins_after
        faults += _faults(before, row)
        removed = _removed(row) if _is_retention(before, row) else None
        if removed is not None:
            retentions.append(
                Retention(row.position, row.at, removed.through.position, removed.rows, row.reason)
            )
            if _is_possible(removed, row) and removed.through.position > retained.position:
                retained = removed.through
        before = before.after(row)
        has_anchor |= anchor == before.link
        entries += 1
        if progress is not None and entries % _BATCH == 0:
            progress(entries)
    return Chain(
        entries,
        begins_after,
        before.link,
        retained,
        has_anchor,
        tuple(faults),
        tuple(retentions),
    )


def _faults(before: _Before, row: Row[Any]) -> Iterator[Fault]:
    """Yield what is wrong with an entry, given what the chain says before it."""
    for sentence in _sentences(before, row):
        place = f"Position {row.position} (entry {row.id})"
        yield Fault(row.position, row.id, f"{place}: {sentence}")


def _sentences(before: _Before, row: Row[Any]) -> Iterator[str]:
    position, expected = row.position, before.link.position + 1
    if not row.intact:
        yield "altered; its hash does not fit what it says."
    elif not _is_chained(before, row):
        yield "not chained to the entry before it."
    elif row.event == Event.RETENTION:
        removed = _removed(row)
        if removed is None:
            yield "a retention that does not say what it removed."
        elif not _is_possible(removed, row):
            yield "a retention of more than stood before it."
    if row.event in _AT_ONCE and before.latest and row.at < before.latest - _CLOCK_STEPS:
        # An entry that was made to look old: its transaction does nothing else.
        yield f"dated {row.at:%Y-%m-%d %H:%M}, before entries that precede it."
    if position > expected:
        gap = f"{expected} to {position - 1}" if position - 1 > expected else f"{expected}"
        yield f"removed before it: position {gap}."
    elif position < expected:
        yield "the position is taken by another entry."


def _is_chained(before: _Before, row: Row[Any]) -> bool:
    """Return whether an entry is chained to the one before it, where that was not removed."""
    is_next = row.position == before.link.position + 1
    return not is_next or (row.previous or b"") == before.link.hash


def _is_retention(before: _Before, row: Row[Any]) -> bool:
    """Return whether an entry is a retention, intact and chained."""
    return row.event == Event.RETENTION and row.intact and _is_chained(before, row)


def _removed(row: Row[Any]) -> _Removed | None:
    """Return what a retention removed, or None where it does not say that."""
    try:
        return _Removed(Anchor.parse(f"{row.through}:{row.through_hash}"), int(row.removed))
    except (AuditError, TypeError, ValueError):
        return None


def _is_possible(removed: _Removed, row: Row[Any]) -> bool:
    return removed.through.position < row.position and removed.rows <= removed.through.position


def chained(connection: Connection) -> Iterator[Row[Any]]:
    """Yield the entries that have a position, oldest first, and whether each one's hash fits."""
    c = audit.c
    query = (
        select(
            c.position,
            c.id,
            c.event,
            c.previous,
            c.hash,
            (literal_column(digest(), LargeBinary) == c.hash).label("intact"),
            c.changes["through"].astext.label("through"),
            c.changes["hash"].astext.label("through_hash"),
            c.changes["rows"].astext.label("removed"),
            c.reason,
            c.at,
        )
        .where(c.position.is_not(None))
        .order_by(c.position, c.id)
    )
    yield from connection.execute(query, execution_options={"yield_per": _BATCH})
