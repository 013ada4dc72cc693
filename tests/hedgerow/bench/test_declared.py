"""Every declaration is measured, or one line says why it is not."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.hedgerow.bench.support import reports
from tests.support import declared
from tests.support.databases import Database, clone_template, drop
from tests.support.declared import ALICE, METADATA

NOT_FOUND_WITHOUT_A_NAME = {"notice"}
"""No user owns such a row, or one above it."""


@pytest.fixture(scope="module")
def filled(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    declared.declare_in(database)
    declared.fill(database)
    yield database
    drop(database)


@pytest.mark.parametrize("user", [str(ALICE), None], ids=["alice", "typical"])
def test_each_is_compared_with_what_a_hand_would_write(filled: Database, user: str | None) -> None:
    """Children with a join, shared rows with a look at the shares."""
    for table, report in reports(filled, METADATA, user).items():
        if user is None and table in NOT_FOUND_WITHOUT_A_NAME:
            assert "--user" in str(report.skipped)
            continue
        assert (report.skipped, report.advice) == (None, ()), table
        assert len(report.operations) == 3, (table, report.notes)
        for each in report.operations:
            assert each.by_hand is not None, table
            assert (each.policy.problem, each.by_hand.problem) == (None, None), table
            assert each.ratio is not None
        shows_more = table in ("page", "comment")  # some are public
        assert len(report.notes) == shows_more, table


def test_what_is_the_users_is_counted_through_parents_and_shares(filled: Database) -> None:
    found = reports(filled, METADATA, str(ALICE))
    # Her own, and bob's, which is shared with her.
    assert (found["project"].user_rows, found["task"].user_rows) == (2, 2)
    assert (found["event"].user_rows, found["label"].user_rows) == (1, 1)
