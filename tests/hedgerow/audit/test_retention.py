"""Old entries go, and what stays can be verified."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from hedgerow.audit.chain import Retention
from hedgerow.audit.errors import AuditError
from hedgerow.audit.retention import Removal, remove_older_than
from hedgerow.audit.trail import audit
from tests.hedgerow.audit.support import (
    age,
    check,
    elevate,
    faults,
    ids,
    owner,
    recompute,
    remove,
    rename,
    tamper,
)
from tests.support.databases import Database
from tests.support.people import Person


def positions(database: Database) -> list[int]:
    with owner(database) as connection:
        return list(connection.scalars(text("SELECT position FROM rls.audit ORDER BY position")))


def test_the_old_beginning_goes_and_the_rest_verifies(history: Database) -> None:
    age(history, through=4)
    noted = check(history).newest
    assert remove(history) == Removal(rows=4, through=4)
    assert positions(history) == [5, 6, 7, 8, 9]
    verification = check(history, noted)
    assert verification.faults == ()
    assert verification.entries == 5


def test_the_removal_says_what_it_removed_and_why(history: Database) -> None:
    age(history, through=4)
    with owner(history) as connection:
        link = connection.scalar(
            text("SELECT encode(hash, 'hex') FROM rls.audit WHERE position = 4")
        )
    remove(history, reason="kept for one year")
    with owner(history) as connection:
        entry = connection.execute(text("SELECT * FROM rls.audit WHERE position = 9")).one()
    assert (entry.event, entry.role, entry.user_id) == ("retention", "owner", None)
    assert entry.login == history.owner_url.username
    assert entry.reason == "kept for one year"
    assert entry.changes == {"through": 4, "hash": link, "rows": 4}
    assert check(history).retentions == (Retention(9, entry.at, 4, 4, "kept for one year"),)


def test_nothing_old_leaves_no_trace(history: Database) -> None:
    assert remove(history) is None
    assert positions(history) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_everything_may_be_old(history: Database) -> None:
    age(history, through=8)
    assert remove(history) == Removal(rows=8, through=8)
    assert positions(history) == [9]
    assert faults(history) == []


def test_nothing_goes_out_of_the_middle(history: Database) -> None:
    """What a long transaction changed is chained late: the first young entry decides."""
    tamper(
        history,
        "UPDATE rls.audit SET at = at - interval '400 days' WHERE position IN (1, 2, 6, 7)",
    )
    recompute(history)
    assert remove(history) == Removal(rows=2, through=2)
    assert positions(history) == [3, 4, 5, 6, 7, 8, 9]
    assert faults(history) == []


def test_several_removals_leave_a_chain(
    history: Database, engine: Engine, overseer: Person, owned: Person
) -> None:
    """The second one removes the record of the first, and speaks for it."""
    first = check(history).newest
    age(history, through=4)
    remove(history)
    assert faults(history) == []
    rename(engine, overseer.id, owned.items[0])
    age(history, through=9)
    assert remove(history) == Removal(rows=5, through=9)
    assert faults(history) == []
    (sentence,) = faults(history, first)
    assert sentence.startswith("The anchor, position 8, was removed")
    (second,) = check(history).retentions
    assert (second.position, second.through, second.rows) == (13, 9, 5)
    elevate(engine, overseer.id)
    assert remove(history) is None
    assert check(history).newest.position == 14


def test_more_than_a_retention_says_cannot_be_missing(history: Database) -> None:
    age(history, through=2)
    remove(history)
    tamper(history, "DELETE FROM rls.audit WHERE position = 3")
    assert faults(history) == [
        "Removed at the beginning: positions 3 to 3, which no retention explains."
    ]


def test_the_beginning_must_be_what_the_retention_names(history: Database) -> None:
    age(history, through=2)
    remove(history)
    tamper(history, "UPDATE rls.audit SET previous = sha256('x') WHERE position = 3")
    recompute(history)
    assert faults(history) == ["Position 3: not chained to what stood before the beginning."]


def test_entries_that_come_back_are_found(own_history: Database) -> None:
    age(own_history, through=2)
    tamper(own_history, "CREATE TABLE rls.kept AS TABLE rls.audit")
    remove(own_history)
    tamper(
        own_history,
        "INSERT INTO rls.audit OVERRIDING SYSTEM VALUE SELECT * FROM rls.kept WHERE position = 2",
    )
    assert faults(own_history) == [
        "The entries from position 2 to 2 are there again, although a retention removed them."
    ]


@pytest.mark.parametrize("changes", [None, [], 3, {"through": "x"}, {"through": 1, "hash": ""}])
def test_a_retention_that_says_nothing_is_found(history: Database, changes: Any) -> None:
    with history.as_owner() as connection:
        connection.execute(insert(audit).values(event="retention", role="owner", changes=changes))
    (sentence,) = faults(history)
    assert "a retention that does not say what it removed" in sentence


@pytest.mark.parametrize(
    ("through", "rows"), [(9, 1), (10, 1), (8, 9)], ids=["itself", "what comes", "too many"]
)
def test_a_retention_cannot_say_more_than_stood_before_it(
    history: Database, through: int, rows: int
) -> None:
    changes = {"through": through, "hash": "00" * 32, "rows": rows}
    with history.as_owner() as connection:
        connection.execute(insert(audit).values(event="retention", role="owner", changes=changes))
    assert faults(history) == [
        f"Position 9 (entry {ids(history)[9]}): a retention of more than stood before it."
    ]


@pytest.mark.parametrize("limit", [timedelta(0), timedelta(hours=23, minutes=59), -timedelta(1)])
def test_a_short_limit_is_refused(history: Database, limit: timedelta) -> None:
    age(history, through=8)
    with owner(history) as connection, pytest.raises(AuditError, match="give 1d or more"):
        remove_older_than(connection, limit, reason="short")
    assert positions(history) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_removal_without_a_reason_is_refused(history: Database) -> None:
    age(history, through=8)
    with pytest.raises(AuditError, match="give a reason"):
        remove(history, reason=" ")
    assert positions(history) == [1, 2, 3, 4, 5, 6, 7, 8]
