"""Verify the chain of the audit trail: that nobody altered, removed or added entries by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, literal_column, select, text

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
class Verification:
    """What verifying found: the number of entries, the newest link, and the faults.

    `begins_after` is the link that the oldest entry is chained to. `retentions` are the entries
    that say what was removed at the beginning, each with `position`, `at`, `through` and `rows`.
    """

    entries: int
    begins_after: Anchor
    newest: Anchor
    faults: tuple[Fault, ...]
    retentions: tuple[Retention, ...] = ()


def verify(
    connection: Connection,
    *,
    anchor: Anchor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Read the whole trail in one snapshot, and return what is wrong with it.

    `connection` is the owner's, and in no transaction. Memory does not grow with the trail.
    `progress` is told how many entries have been read. Hashes are computed by an expression of our
    own, not by a function that is stored in the database.

    The trap: the chain shows nothing of an owner who appends an entry, cuts the newest ones off and
    fixes the head, or computes every hash anew. `anchor`, a link that was noted before, guards what
    is older than itself: note it often.
    """
    with connection.begin():
        _isolate(connection)
        return _Walk(anchor, progress).over(connection)


def _isolate(connection: Connection) -> None:
    """Take one snapshot; and let neither a planted search_path nor a policy change what is read."""
    for setting in (
        "TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "LOCAL search_path = pg_catalog",
        "LOCAL row_security = off",
    ):
        connection.execute(text(f"SET {setting}"))


class _Walk:
    """One pass over the chain, oldest entry first, and what it remembers on the way."""

    def __init__(self, anchor: Anchor | None, progress: Callable[[int], None] | None) -> None:
        self._anchor = anchor
        self._progress = progress
        self._faults: list[Fault] = []
        self._begins_after = self._newest = START
        self._retained = START
        self._retentions: list[Retention] = []
        self._latest: datetime | None = None
        self._entries = 0
        self._anchored = anchor is None or anchor == START

    def over(self, connection: Connection) -> Verification:
        for row in _chained(connection):
            self._visit(row)
            self._entries += 1
            if self._progress is not None and self._entries % _BATCH == 0:
                self._progress(self._entries)
        self._check_beginning()
        self._check_head(connection)
        self._check_unchained(connection)
        self._check_anchor()
        return Verification(
            self._entries,
            self._begins_after,
            self._newest,
            tuple(self._faults),
            tuple(self._retentions),
        )

    def _fault(self, sentence: str, position: int | None = None, id: int | None = None) -> None:
        self._faults.append(Fault(position, id, sentence))

    def _visit(self, row: Row[Any]) -> None:
        position, id, place = row.position, row.id, f"Position {row.position} (entry {row.id})"
        previous, link = row.previous or b"", Anchor(position, row.hash or b"")
        if not self._entries:
            self._begins_after = self._newest = Anchor(position - 1, previous)
            self._anchored |= self._anchor == self._begins_after
        expected = self._newest.position + 1
        if not row.intact:
            self._fault(f"{place}: altered; its hash does not fit what it says.", position, id)
        elif position == expected and previous != self._newest.hash:
            self._fault(f"{place}: not chained to the entry before it.", position, id)
        elif row.event == Event.RETENTION:
            self._note_retention(row, place)
        self._check_time(row, place)
        if position > expected:
            gap = f"{expected} to {position - 1}" if position - 1 > expected else f"{expected}"
            self._fault(f"{place}: removed before it: position {gap}.", position, id)
        elif position < expected:
            self._fault(f"{place}: the position is taken by another entry.", position, id)
        self._newest = link
        if self._anchor == link:
            self._anchored = True

    def _check_time(self, row: Row[Any], place: str) -> None:
        """Find an entry that was made to look old: one whose transaction does nothing else."""
        if row.event not in _AT_ONCE:
            return
        if self._latest is not None and row.at < self._latest - _CLOCK_STEPS:
            sentence = f"{place}: dated {row.at:%Y-%m-%d %H:%M}, before entries that precede it."
            self._fault(sentence, row.position, row.id)
        self._latest = max(row.at, self._latest or row.at)

    def _note_retention(self, row: Row[Any], place: str) -> None:
        try:
            through = Anchor.parse(f"{row.through}:{row.through_hash}")
            rows = int(row.removed)
        except (AuditError, TypeError, ValueError):
            sentence = f"{place}: a retention that does not say what it removed."
            self._fault(sentence, row.position, row.id)
            return
        self._retentions.append(Retention(row.position, row.at, through.position, rows, row.reason))
        if through.position >= row.position or rows > through.position:
            sentence = f"{place}: a retention of more than stood before it."
            self._fault(sentence, row.position, row.id)
        elif through.position > self._retained.position:
            self._retained = through

    def _check_beginning(self) -> None:
        found, said = self._begins_after, self._retained
        if not self._entries or found == said:
            return
        first = found.position + 1
        if found.position > said.position:
            gap = f"Removed at the beginning: positions {said.position + 1} to {found.position}"
            self._fault(f"{gap}; no retention says so.", first)
        elif found.position < said.position:
            again = f"The entries from position {first} to {said.position} are there again"
            self._fault(f"{again}, although a retention removed them.", first)
        else:
            sentence = f"Position {first}: not chained to what stood before the beginning."
            self._fault(sentence, first)

    def _check_head(self, connection: Connection) -> None:
        heads = connection.execute(text("SELECT position, hash FROM rls.audit_head")).all()
        if len(heads) != 1:
            self._fault(f"rls.audit_head has {len(heads)} rows instead of one.")
            return
        newest, head = self._newest, Anchor(*heads[0])
        if head.position > newest.position:
            sentence = f"Removed at the end: positions {newest.position + 1} to {head.position}."
            self._fault(sentence, head.position)
        elif head != newest:
            sentence = (
                f"rls.audit_head names position {head.position} with another hash, or an older"
                f" one, than the newest entry, position {newest.position}."
            )
            self._fault(sentence, newest.position)

    def _check_unchained(self, connection: Connection) -> None:
        unchained = select(audit.c.id).where(audit.c.position.is_(None)).order_by(audit.c.id)
        for id in connection.scalars(unchained):
            self._fault(f"Entry {id}: not in the chain; written past its trigger.", None, id)

    def _check_anchor(self) -> None:
        """Report an anchor that is not in the chain, or that is gone: then nothing was compared."""
        if self._anchored or self._anchor is None:
            return
        position = self._anchor.position
        if position < self._begins_after.position:
            sentence = (
                f"The anchor, position {position}, was removed: nothing could be compared with it."
                " Look at the retentions, then verify with a newer anchor, or without one."
            )
        elif position > self._newest.position:
            sentence = f"The chain ends before the anchor, position {position}."
        else:
            sentence = f"Position {position}: not the entry that the anchor names; rewritten."
        self._fault(sentence, position)


def _chained(connection: Connection) -> Iterator[Row[Any]]:
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
