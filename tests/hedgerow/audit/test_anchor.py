"""Anchors, which show what the chain alone cannot."""

import pytest
from sqlalchemy import Engine, text

from hedgerow.audit.anchor import Anchor
from hedgerow.audit.errors import AuditError
from tests.hedgerow.audit.support import (
    age,
    check,
    elevate,
    faults,
    owner,
    recompute,
    remove,
    tamper,
)
from tests.support.databases import Database
from tests.support.people import Person


def test_only_the_anchor_shows_a_chain_that_was_computed_anew(
    history: Database, engine: Engine, overseer: Person
) -> None:
    anchor = Anchor.parse(str(check(history).newest))
    elevate(engine, overseer.id)
    assert check(history, anchor).faults == ()
    tamper(history, "UPDATE rls.audit SET reason = 'a lie' WHERE position = 2")
    recompute(history)
    assert faults(history) == []
    assert faults(history, anchor) == [
        "Position 8: not the entry that the anchor names; rewritten."
    ]


def test_the_anchor_shows_a_tail_that_was_cut_off_with_its_head(history: Database) -> None:
    anchor = check(history).newest
    tamper(
        history,
        "DELETE FROM rls.audit WHERE position > 6;"
        " UPDATE rls.audit_head SET (position, hash) ="
        " (SELECT position, hash FROM rls.audit WHERE position = 6)",
    )
    assert faults(history) == []
    assert faults(history, anchor) == ["The chain ends before the anchor, position 8."]


def test_an_anchor_at_the_cut_is_still_compared(history: Database) -> None:
    age(history, through=8)
    anchor = check(history).newest
    remove(history)
    assert faults(history, anchor) == []
    tamper(
        history,
        """UPDATE rls.audit SET previous = sha256('x'), changes =
        changes || jsonb_build_object('hash', encode(sha256('x'), 'hex'))""",
    )
    recompute(history)
    assert faults(history) == []
    assert faults(history, anchor) == [
        "Position 8: not the entry that the anchor names; rewritten."
    ]


def test_an_anchor_that_a_retention_removed_is_a_fault(history: Database) -> None:
    """Nothing could be compared with it: an owner with something to hide may have removed it."""
    age(history, through=5)
    removed, kept = link(history, 4), link(history, 5)
    assert faults(history, removed) == []
    remove(history, reason="kept for a year")
    assert faults(history, removed) == [
        "The anchor, position 4, was removed: nothing could be compared with it."
        " Look at the retentions, then verify with a newer anchor, or without one."
    ]
    assert faults(history, kept) == []
    assert faults(history) == []
    # Whatever is wrong besides is told as well.
    tamper(history, "UPDATE rls.audit SET reason = 'a lie' WHERE position = 8")
    altered, gone = faults(history, removed)
    assert "altered" in altered
    assert "was removed" in gone


def link(database: Database, position: int) -> Anchor:
    with owner(database) as connection:
        hash = connection.scalar(
            text("SELECT hash FROM rls.audit WHERE position = :position"), {"position": position}
        )
    assert hash is not None
    return Anchor(position, hash)


@pytest.mark.parametrize("written", ["", "6", "6:", "6:abc", f"-1:{'0' * 64}", f"6:{'g' * 64}"])
def test_what_is_no_anchor_is_refused(written: str) -> None:
    with pytest.raises(AuditError, match="give POSITION:HASH"):
        Anchor.parse(written)
