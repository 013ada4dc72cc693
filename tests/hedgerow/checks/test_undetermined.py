"""What cannot be determined is an answer of its own, and never a pass."""

from hedgerow.checks import CHECKS
from hedgerow.checks.runner import Report
from tests.hedgerow.checks.stage import Stage
from tests.support.raw import connect

CHECK = {check.number: check for check in CHECKS}


def test_a_condition_that_fails(stage: Stage) -> None:
    stage.run_sql("ALTER POLICY item_owner_select ON item USING (1 / (1 - 1) = 0)")
    report = Report(stage.answers(CHECK["H117"]))
    assert report.answers[0].findings == ()
    assert "division by zero" in (report.answers[0].undetermined or "")
    assert report.fails()


def test_a_table_that_somebody_else_holds(stage: Stage) -> None:
    """P39: a comparison that cannot be made is no comparison that found nothing."""
    with connect(stage.database.owner_url) as other:
        other.execute("LOCK TABLE item IN SHARE MODE")
        stage.lock_timeout = "50ms"
        report = Report(stage.answers(CHECK["H105"]))
    assert "lock timeout" in (report.answers[0].undetermined or "")
    assert report.fails()


def test_a_server_of_which_nothing_is_known(stage: Stage) -> None:
    stage.server_version = 990000
    report = Report(stage.answers(CHECK["H120"]))
    assert report.answers[0].undetermined == (
        "This version does not know the fixes of PostgreSQL 99."
    )
    assert not report.fails()
    assert report.fails(strict=True)


def test_without_an_index_nothing_can_be_said_of_its_use(stage: Stage) -> None:
    stage.run_sql("DROP INDEX ix_item_owner_id, ix_item_owner_id_created_at_id")
    (answer,) = stage.answers(CHECK["H121"])
    assert answer.undetermined == "No index leads with item.owner_id (H124)."
