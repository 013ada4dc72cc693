"""What is wrong with a table is seen in its plans, and the advice names the rule and the fix."""

import pytest

from tests.hedgerow.bench.support import checks, fill, item_report, operation
from tests.support.databases import Database


def test_no_index_on_the_owner(fresh_database: Database) -> None:
    """P49."""
    fill(fresh_database, "DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id")
    report = item_report(fresh_database)
    count = operation(report, "count").plan
    assert count is not None
    assert count.access == "whole table"
    assert count.rows_filtered == 4_950
    assert operation(report, "first page").order == "id"
    assert checks(report) == ["H124"]
    assert report.advice[0].fix == "CREATE INDEX ix_item_owner_id ON item (owner_id);"
    assert report.advice[0].page == "docs/reference/checks/H124.md"


def test_no_index_carries_an_order(fresh_database: Database) -> None:
    """P49: the owner's index finds the rows, and each request reads all of them for a page."""
    fill(fresh_database, "DROP INDEX ix_item_owner_id_created_at_id")
    report = item_report(fresh_database)
    count = operation(report, "count").plan
    assert count is not None
    assert count.access == "owner index"
    assert checks(report) == ["H124"]
    assert "a list reads all 50 of the user's" in report.advice[0].sentence


def test_an_or_beside_the_owner_comparison(fresh_database: Database) -> None:
    """P45: the index is there, and of no use."""
    fill(
        fresh_database,
        "ALTER POLICY item_owner_select ON item USING"
        " (owner_id = (SELECT rls.user_id()) OR (SELECT rls.role()) = 'admin')",
    )
    report = item_report(fresh_database)
    count = operation(report, "count").plan
    assert count is not None
    assert count.access != "owner index"
    assert count.rows_filtered == 4_950
    assert checks(report) == ["H121"]
    assert "ALTER POLICY" in report.advice[0].fix or "CREATE POLICY" in report.advice[0].fix


def test_a_bare_function(fresh_database: Database) -> None:
    """P46: the identity is asked for once a row."""
    fill(
        fresh_database,
        "ALTER POLICY item_owner_select ON item USING (owner_id::text = rls.user_id()::text)",
    )
    report = item_report(fresh_database)
    count = operation(report, "count").plan
    assert count is not None
    assert count.identity == "each row"
    assert "H122" in checks(report)


def test_a_bare_function_that_is_an_index_condition(fresh_database: Database) -> None:
    """P46: the plan asks once, as long as the index is used; the rule warns all the same."""
    fill(fresh_database, "ALTER POLICY item_owner_select ON item USING (owner_id = rls.user_id())")
    report = item_report(fresh_database)
    count = operation(report, "count").plan
    assert count is not None
    assert (count.access, count.identity) == ("owner index", "once")
    assert checks(report) == ["H122"]


def test_an_index_that_policies_make_useless(fresh_database: Database) -> None:
    """P47: a full text search is not leakproof."""
    fill(
        fresh_database,
        "CREATE INDEX found ON item USING gin (to_tsvector('simple', title))",
    )
    report = item_report(fresh_database)
    assert checks(report) == ["H123"]
    assert "found" in report.advice[0].sentence


@pytest.mark.parametrize("again", [False, True], ids=["never", "long ago"])
def test_statistics_that_are_missing_or_stale(fresh_database: Database, again: bool) -> None:
    many = (
        "INSERT INTO item (id, owner_id, title, created_at)"
        " SELECT gen_random_uuid(), owner_id, title, now() FROM item"
    )
    with fresh_database.as_owner() as owner:
        owner.exec_driver_sql("ALTER TABLE item SET (autovacuum_enabled = false)")
    fill(
        fresh_database,
        *([many] if again else []),
        analyze=again,
    )
    (advice,) = item_report(fresh_database).advice
    assert ("outdated" if again else "no statistics") in advice.sentence
    assert (advice.check, advice.fix) == (None, "ANALYZE item;")


def test_policies_that_show_more_than_ones_own(fresh_database: Database) -> None:
    """Two ways that return different rows are not compared without a word."""
    fill(
        fresh_database,
        "CREATE POLICY shared ON item FOR SELECT TO rls_app_user USING (title = 'item 1')",
    )
    report = item_report(fresh_database, user="7@example.com")
    assert report.user_rows == 50
    assert "show the user 51 rows, who owns 50" in report.notes[0]


def test_a_table_that_enforces_nothing(fresh_database: Database) -> None:
    """P37."""
    fill(fresh_database, "ALTER TABLE item DISABLE ROW LEVEL SECURITY")
    report = item_report(fresh_database)
    assert checks(report)[0] == "H104"
    assert "show the user 5,000 rows" in report.notes[0]
