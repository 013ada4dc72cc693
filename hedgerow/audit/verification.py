"""Verify the audit trail: that no entry was altered, removed or added by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from hedgerow.audit.anchor import Anchor
from hedgerow.audit.chain import Chain, Fault, Retention, chained, fold
from hedgerow.audit.trail import audit


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
        chain = fold(chained(connection), anchor, progress)
        faults = (
            *chain.faults,
            *_beginning_faults(chain),
            *_head_faults(connection, chain.newest),
            *_unchained_faults(connection),
            *_anchor_faults(anchor, chain),
        )
    return Verification(chain.entries, chain.begins_after, chain.newest, faults, chain.retentions)


def _isolate(connection: Connection) -> None:
    """Take one snapshot; and let neither a planted search_path nor a policy change what is read."""
    for setting in (
        "TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "LOCAL search_path = pg_catalog",
        "LOCAL row_security = off",
    ):
        connection.execute(text(f"SET {setting}"))


def _beginning_faults(chain: Chain) -> Iterator[Fault]:
    """Compare where the chain begins with what retentions say that they removed."""
    found, said = chain.begins_after, chain.retained
    if chain.entries == 0 or found == said:
        return
    first = found.position + 1
    if found.position > said.position:
        gap = f"Removed at the beginning: positions {said.position + 1} to {found.position}"
        sentence = f"{gap}, which no retention explains."
    elif found.position < said.position:
        again = f"The entries from position {first} to {said.position} are there again"
        sentence = f"{again}, although a retention removed them."
    else:
        sentence = f"Position {first}: not chained to what stood before the beginning."
    yield Fault(first, None, sentence)


def _head_faults(connection: Connection, newest: Anchor) -> Iterator[Fault]:
    heads = connection.execute(text("SELECT position, hash FROM rls.audit_head")).all()
    if len(heads) != 1:
        yield Fault(None, None, f"rls.audit_head has {len(heads)} rows instead of one.")
        return
    head = Anchor(*heads[0])
    if head.position > newest.position:
        sentence = f"Removed at the end: positions {newest.position + 1} to {head.position}."
        yield Fault(head.position, None, sentence)
    elif head != newest:
        sentence = (
            f"rls.audit_head names position {head.position} with another hash, or an older"
            f" one, than the newest entry, position {newest.position}."
        )
        yield Fault(newest.position, None, sentence)


def _unchained_faults(connection: Connection) -> Iterator[Fault]:
    unchained = select(audit.c.id).where(audit.c.position.is_(None)).order_by(audit.c.id)
    for id in connection.scalars(unchained):
        yield Fault(None, id, f"Entry {id}: not in the chain; written past its trigger.")


def _anchor_faults(anchor: Anchor | None, chain: Chain) -> Iterator[Fault]:
    """Report an anchor that is not in the chain, or that is gone: then nothing was compared."""
    if chain.has_anchor or anchor is None:
        return
    position = anchor.position
    if position < chain.begins_after.position:
        sentence = (
            f"The anchor, position {position}, was removed: nothing could be compared with it."
            " Look at the retentions, then verify with a newer anchor, or without one."
        )
    elif position > chain.newest.position:
        sentence = f"The chain ends before the anchor, position {position}."
    else:
        sentence = f"Position {position}: not the entry that the anchor names; rewritten."
    yield Fault(position, None, sentence)
