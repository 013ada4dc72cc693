"""A removal beside admins at work, beside another removal, and by an owner who is filtered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, NullPool, create_engine, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from hedgerow.audit.retention import Removal, remove_older_than
from tests.hedgerow.audit.support import (
    age,
    check,
    faults,
    filter_reader,
    owner,
    remove,
    rename,
    tamper,
)
from tests.support.databases import Database
from tests.support.people import Person


def test_admins_work_while_entries_are_removed(
    history: Database, overseer: Person, owned: Person
) -> None:
    """An admin commits while the removal stands just before its own commit."""
    age(history, through=8)
    impatient = create_engine(
        history.app_url, connect_args={"options": "-c lock_timeout=5s"}, poolclass=NullPool
    )
    with (
        owner(history) as connection,
        _before_commit(connection, lambda: rename(impatient, overseer.id, owned.items[0])),
    ):
        assert remove_older_than(connection, timedelta(days=365), reason="old") is not None
    verification = check(history)
    assert (verification.entries, verification.newest.position) == (4, 12)
    assert verification.faults == ()
    assert verification.begins_after.position == 8


def test_a_second_removal_waits_for_the_first(history: Database) -> None:
    """Or it would say that it removed what the other one did."""
    age(history, through=4)

    def remove_too() -> None:
        with owner(history) as second:
            second.execute(text("SET lock_timeout = '100ms'"))
            second.commit()
            with pytest.raises(OperationalError, match="lock timeout"):
                remove_older_than(second, timedelta(days=365), reason="too")

    with owner(history) as first, _before_commit(first, remove_too):
        assert remove_older_than(first, timedelta(days=365), reason="old") == Removal(4, 4)
    assert remove(history) is None
    assert faults(history) == []


def test_an_owner_who_is_filtered_removes_nothing(own_history: Database) -> None:
    """P35: it would say that more is gone than is."""
    age(own_history, through=4)
    filter_reader(own_history)
    tamper(own_history, "GRANT INSERT, DELETE ON rls.audit TO pg_monitor")
    with owner(own_history) as connection:
        connection.execute(text("SET ROLE pg_monitor"))
        connection.commit()
        with pytest.raises(ProgrammingError, match="affected by row-level security"):
            remove_older_than(connection, timedelta(days=365), reason="old")


@contextmanager
def _before_commit(connection: Connection, act: Callable[[], None]) -> Iterator[None]:
    def listener(_: Connection) -> None:
        act()

    event.listen(connection, "commit", listener)
    yield
    event.remove(connection, "commit", listener)
