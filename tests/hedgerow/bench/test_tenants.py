"""Tables of tenants are measured against both ways of a hand, also where claims are needed."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import URL, text

from tests.hedgerow.bench.support import FLUSH, operation, reports
from tests.hedgerow.tenants.teams import fill, teams
from tests.support import declared
from tests.support.databases import Database, clone_template, drop

MODELS = teams()
ANN = UUID(int=1)


@pytest.fixture(scope="module")
def filled(server: URL) -> Iterator[Database]:
    database = clone_template(server)
    declared.declare_in(database, metadata=MODELS)
    with database.as_owner() as owner:
        fill(owner)
        owner.execute(FLUSH)
    with database.as_owner() as owner:
        owner.execute(text("ANALYZE"))
    yield database
    drop(database)


@pytest.mark.parametrize("user", [str(ANN), None], ids=["ann", "typical"])
def test_each_is_compared_with_what_a_hand_would_write(filled: Database, user: str | None) -> None:
    for table, report in reports(filled, MODELS, user).items():
        if user is None and table == "lead":
            assert "--user" in str(report.skipped)
            continue
        assert (report.skipped, report.advice, report.notes) == (None, (), ()), table
        of_tenants = table in ("team", "document", "draft", "note", "visit", "comment")
        for each in report.operations:
            assert each.by_hand is not None
            assert (each.policy.problem, each.by_hand.problem) == (None, None), table
            assert each.plan is not None
            assert each.plan.identity == "once"
            assert (each.joined is not None) is of_tenants
            if each.joined is not None:
                assert each.joined.problem is None
                assert each.ratio_to_join is not None
        if table == "document" and user is not None:
            assert (report.tenants, report.user_rows) == (4, 80)
            for name in ("count", "of one tenant"):
                plan = operation(report, name).plan
                assert plan is not None
                assert (plan.access, plan.init_plan_loops) == ("tenant index", (1,))
