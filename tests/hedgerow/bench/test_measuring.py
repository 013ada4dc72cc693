"""What a measurement says of the application's own table, as it was migrated. It judges no time."""

import pytest
from sqlalchemy import MetaData, text

from hedgerow import ConfigurationError, DatabaseNotReadyError, IdentityError, RowSecurity
from hedgerow.bench import Request, measure, questions, steps
from hedgerow.bench.report import Limits, TableReport
from tests.hedgerow.bench.support import (
    ITEMS_EACH,
    LIMITS,
    OWNERS,
    fill,
    item_report,
    operation,
    project_of,
    report_of,
)
from tests.hedgerow.signing.support import SIGNED, demand
from tests.support.databases import Database


@pytest.fixture(scope="module")
def report(good: Database) -> TableReport:
    return item_report(good)


def test_every_operation_is_measured_in_both_ways(report: TableReport) -> None:
    assert [each.operation for each in report.operations] == ["count", "first page", "get by id"]
    for each in report.operations:
        assert each.by_hand is not None
        assert each.policy.problem is each.by_hand.problem is None
        assert each.policy.rounds == each.by_hand.rounds == LIMITS.rounds
        assert each.ratio is not None
        assert each.ratio > 0


def test_a_good_table_needs_no_advice(report: TableReport) -> None:
    assert report.advice == ()
    assert report.notes == ()
    assert report.rows == OWNERS * ITEMS_EACH
    assert report.user_rows == ITEMS_EACH


@pytest.mark.parametrize("name", ["count", "first page"])
def test_the_owner_finds_the_rows(report: TableReport, name: str) -> None:
    """P45: the comparison stands bare, so the owner is an index condition."""
    plan = operation(report, name).plan
    assert plan is not None
    assert plan.access == "owner index"
    assert plan.rows_filtered == 0
    assert not plan.sorts


def test_the_identity_is_asked_for_once(report: TableReport) -> None:
    """P46: an InitPlan that runs once."""
    for each in report.operations:
        assert each.plan is not None
        assert (each.plan.identity, each.plan.init_plan_loops) == ("once", (1,))


def test_a_page_comes_in_the_order_that_an_index_has(report: TableReport) -> None:
    assert operation(report, "first page").order == "created_at DESC, id DESC"


def test_an_order_that_is_not_an_indexs_own_default_is_kept(fresh_database: Database) -> None:
    """NULLS FIRST or LAST is part of an index's order: another one would be sorted."""
    index = "CREATE INDEX ON item (owner_id, description DESC NULLS LAST, title NULLS FIRST, id)"
    fill(fresh_database, index)
    page = operation(item_report(fresh_database), "first page")
    assert page.order == "description DESC NULLS LAST, title NULLS FIRST, id"
    assert page.plan is not None
    assert (page.plan.access, page.plan.sorts) == ("owner index", False)


def test_signed_identities_are_measured_as_well(fresh_database: Database) -> None:
    fill(fresh_database)
    demand(fresh_database, SIGNED)
    signed = report_of(fresh_database, row_security=SIGNED)
    assert signed.signed
    count = operation(signed.tables[0], "count")
    assert count.policy.problem is None
    assert count.plan is not None
    assert (count.plan.access, count.plan.identity) == ("owner index", "once")
    assert signed.tables[0].advice == ()


def test_an_admin_is_measured_as_a_user_and_leaves_no_trace(fresh_database: Database) -> None:
    fill(fresh_database, "UPDATE \"user\" SET is_superuser = true WHERE email = '7@example.com'")
    trail = text("SELECT count(*) FROM rls.audit")
    with fresh_database.as_owner() as owner:
        before = owner.scalar(trail)
    report = item_report(fresh_database, user="7@example.com")
    assert report.user_rows == ITEMS_EACH
    assert report.notes == ()  # the policies show no row but those
    with fresh_database.as_owner() as owner:
        assert owner.scalar(trail) == before


@pytest.mark.parametrize("blocks", [500, 5], ids=["all blocks", "a sample"])
def test_a_typical_owner_has_the_median_number_of_rows(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    monkeypatch.setattr(questions, "_SAMPLED_BLOCKS", blocks)
    heavy = "UPDATE item SET owner_id = md5('1')::uuid WHERE description::int % 100 < 50"
    fill(fresh_database, heavy)
    assert item_report(fresh_database).user_rows == ITEMS_EACH


def test_progress_comes_to_all_the_steps(good: Database) -> None:
    project = project_of(good)
    done: list[int] = []
    measure(project, Request(None, LIMITS), lambda _, steps_done: done.append(steps_done))
    assert sum(done) == steps(project) == 2 * 4


def test_there_is_no_such_user(good: Database) -> None:
    with pytest.raises(IdentityError, match="There is no user"):
        report_of(good, user="nobody@example.com")


def test_nothing_is_scoped(good: Database) -> None:
    project = project_of(good, metadata=MetaData())
    with pytest.raises(ConfigurationError, match="No model of this project is scoped"):
        measure(project, Request(None, LIMITS), lambda _, __: None)


def test_row_security_is_off(good: Database) -> None:
    with pytest.raises(ConfigurationError, match="RLS_ENABLED=false"):
        report_of(good, row_security=RowSecurity(enabled=False))


def test_a_database_that_was_never_migrated(empty_database: Database) -> None:
    with pytest.raises(DatabaseNotReadyError, match="alembic upgrade head"):
        report_of(empty_database)
    with pytest.raises(DatabaseNotReadyError, match=r"Cannot look up .*alembic upgrade head"):
        report_of(empty_database, user="1@example.com")


def test_an_empty_table_is_said_to_be_empty(fresh_database: Database) -> None:
    report = item_report(fresh_database)
    assert report.skipped == "The table is empty: there is nothing to measure."
    assert report.operations == ()


def test_a_user_without_rows_is_measured_without_a_row_to_get(fresh_database: Database) -> None:
    fill(fresh_database, "DELETE FROM item WHERE owner_id = md5('7')::uuid")
    report = item_report(fresh_database, user="7@example.com")
    assert [each.operation for each in report.operations] == ["count", "first page"]
    assert report.notes == ("No row of the user was found: nothing is got by id.",)


def test_a_table_that_requests_may_not_read(fresh_database: Database) -> None:
    fill(fresh_database, "REVOKE SELECT ON item FROM rls_app_user")
    report = item_report(fresh_database)
    assert report.skipped == ("'rls_app_user' may not read this table: run `alembic upgrade head`.")


def test_a_statement_that_takes_too_long_is_a_line(fresh_database: Database) -> None:
    slow = (
        "ALTER POLICY item_owner_select ON item"
        " USING (owner_id = (SELECT rls.user_id()) AND (SELECT pg_sleep(9) IS NOT NULL))"
    )
    fill(fresh_database, slow)
    report = item_report(fresh_database, limits=Limits(rounds=1, timeout=0.2))
    for each in report.operations:
        assert each.policy.problem == "took longer than 0.2 s"
        assert each.policy.median_ms is each.ratio is None
        assert each.plan is not None
        assert each.plan.init_plan_loops is None  # planned, but not run
    assert report.skipped is None
