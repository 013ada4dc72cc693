"""A measurement never writes, whatever policies and functions do."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from hedgerow.bench.execution import connect_read_only, transaction
from tests.hedgerow.bench.support import LIMITS, fill, item_report
from tests.support.databases import Database


@pytest.mark.parametrize("past_policies", [True, False], ids=["by hand", "policy"])
def test_every_transaction_of_a_connection_refuses_to_write(
    good: Database, past_policies: bool
) -> None:
    url = good.owner_url if past_policies else good.app_url
    with connect_read_only(url, "") as connection:
        for _ in range(2):
            with (
                pytest.raises(InternalError, match="read-only transaction"),
                transaction(connection, LIMITS, past_policies=past_policies),
            ):
                connection.execute(text("DELETE FROM item"))


def test_a_policy_that_writes_is_told_and_wrote_nothing(fresh_database: Database) -> None:
    fill(
        fresh_database,
        "CREATE TABLE looked (at timestamptz)",
        "CREATE FUNCTION look() RETURNS boolean SECURITY DEFINER LANGUAGE sql AS"
        " 'INSERT INTO looked VALUES (now()) RETURNING true'",
        "ALTER POLICY item_owner_select ON item"
        " USING (owner_id = (SELECT rls.user_id()) AND (SELECT look()))",
    )
    report = item_report(fresh_database)
    for each in report.operations:
        assert each.policy.problem == "cannot execute INSERT in a read-only transaction"
        assert each.by_hand is not None
        assert each.by_hand.problem is None
    with fresh_database.as_owner() as owner:
        assert owner.scalar(text("SELECT count(*) FROM looked")) == 0


def test_the_rows_are_as_they_were(good: Database) -> None:
    rows = text("SELECT md5(string_agg(item::text, '' ORDER BY id)) FROM item")
    with good.as_owner() as owner:
        before = owner.scalar(rows)
    item_report(good)
    with good.as_owner() as owner:
        assert owner.scalar(rows) == before
