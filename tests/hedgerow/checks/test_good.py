"""What is right is not complained of: good databases, and what looks like a fault but is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE
from hedgerow.checks import CHECKS
from hedgerow.checks.reports import page
from hedgerow.findings import Level
from tests.hedgerow.checks.fault import Fault
from tests.hedgerow.checks.faults import FAULTS, SECRET
from tests.hedgerow.checks.stage import Stage
from tests.support.databases import PROJECT, server_version
from tests.support.deployments import deployment, unique_role_names

CHECK = {check.number: check for check in CHECKS}
NEWEST = 180007


def test_every_check_has_a_number_a_page_and_a_fault() -> None:
    numbers = [check.number for check in CHECKS]
    assert numbers == [f"H{101 + position}" for position in range(len(CHECKS))]
    assert {fault.check for fault in FAULTS} == set(numbers)
    for check in CHECKS:
        text = (PROJECT / page(check)).read_text(encoding="utf-8")
        assert text.startswith(f"# {check.number}: {check.title}\n")
        for heading in ("## Why it matters", "## How to fix it", "## When it is a false alarm"):
            assert heading in text, check.number
        assert f"**{check.level.value}**" in text
    pages = {path.stem for path in (PROJECT / page(CHECKS[0])).parent.glob("H*.md")}
    assert pages == set(numbers)


def test_the_index_lists_every_check() -> None:
    index = (PROJECT / Path(page(CHECKS[0])).parent / "index.md").read_text(encoding="utf-8")
    for check in CHECKS:
        row = f"| [{check.number}]({check.number}.md) | {check.level.value} | {check.title} |"
        assert row in index


def silent(stage: Stage) -> bool:
    checks = CHECKS
    if server_version(stage.database.owner_url) < LOGIN_TRIGGERS_SINCE:
        checks = tuple(check for check in CHECKS if check.number != "H127")
    stage.server_version = NEWEST
    answers = stage.answers(*checks)
    assert [(a.check.number, a.findings, a.undetermined) for a in answers] == [
        (check.number, (), None) for check in checks
    ]
    return True


@pytest.mark.parametrize("stage", [None, Fault("", "", signed=True)], indirect=True)
def test_a_migrated_database_is_good(stage: Stage) -> None:
    assert silent(stage)


@pytest.fixture
def forced(server: URL) -> Iterator[Stage]:
    with deployment(server, unique_role_names()) as own:
        settings = {"RLS_FORCE": "true", "RLS_CONTEXT_SECRET": SECRET}
        own.upgrade(**settings)
        yield Stage(own.database, own.roles, own.settings(**settings))


def test_a_forced_deployment_with_other_names_is_good(forced: Stage) -> None:
    assert silent(forced)


@pytest.mark.parametrize(
    ("number", "plant"),
    [
        # Restrictive policies are AND-ed: what they hold back does not get through.
        pytest.param(
            "H117",
            "CREATE POLICY all_rows ON item FOR SELECT TO {app} USING (true);"
            " CREATE POLICY own_rows ON item AS RESTRICTIVE FOR SELECT TO {app}"
            " USING (owner_id = (SELECT rls.user_id()))",
            id="restrictive",
        ),
        pytest.param(
            "H118",
            "ALTER POLICY item_owner_update ON item WITH CHECK (true);"
            " CREATE POLICY own_rows ON item AS RESTRICTIVE FOR ALL TO {app}"
            " USING (owner_id = (SELECT rls.user_id()))",
            id="restrictive check",
        ),
        pytest.param(
            "H117",
            "CREATE POLICY shared ON item FOR SELECT TO {app} USING (title = 'for all users')",
            id="shared rows",
        ),
        pytest.param(
            "H117",
            "CREATE POLICY backups ON item FOR SELECT TO {maintenance} USING (true)",
            id="another role's policy",
        ),
        pytest.param(
            "H110",
            "CREATE VIEW mine WITH (security_invoker = on) AS SELECT * FROM item;"
            " GRANT SELECT ON mine TO {app}",
            id="invoker view",
        ),
        pytest.param(
            "H110", "CREATE VIEW everything AS SELECT * FROM item", id="view without grants"
        ),
        pytest.param(
            "H111",
            "CREATE MATERIALIZED VIEW stored AS SELECT * FROM item;"
            " CREATE VIEW mine WITH (security_invoker) AS SELECT * FROM stored;"
            " GRANT SELECT ON mine TO {app}",
            id="invoker view over what the login may not read",
        ),
        pytest.param(
            "H112",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
            " REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",
            id="function without grants",
        ),
        pytest.param(
            "H112",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " 'BEGIN RETURN NEW; END'",
            id="trigger function",
        ),
        pytest.param(
            "H113",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
            " RETURN (SELECT count(*) FROM item)",
            id="body parsed when created",
        ),
        pytest.param(
            "H114",
            "CREATE TABLE item_2026 () INHERITS (item);"
            " ALTER TABLE item_2026 ENABLE ROW LEVEL SECURITY; GRANT SELECT ON item_2026 TO {app}",
            id="child with row security",
        ),
        pytest.param(
            "H121",
            "CREATE INDEX ix_item_title ON item (title);"
            " CREATE POLICY shared ON item FOR SELECT TO {app} USING (title = 'for all users')",
            id="either condition has an index",
        ),
        pytest.param(
            "H123",
            "CREATE INDEX ix_item_day ON item (owner_id, (title::numeric))",
            id="led by the owner",
        ),
        pytest.param(
            "H123",
            "ALTER TABLE item ADD number numeric UNIQUE",
            id="unique constraint",
        ),
    ],
)
def test_what_only_looks_like_a_fault(stage: Stage, number: str, plant: str) -> None:
    stage.run_sql(stage.name(plant))
    (answer,) = stage.answers(CHECK[number])
    assert (answer.findings, answer.undetermined) == ((), None)


def test_a_policy_whose_model_says_otherwise_is_known_to_switched_off_row_security(
    stage: Stage,
) -> None:
    """With RLS_ENABLED=false policies do nothing, so nobody is asked what they would do."""
    stage.run_sql("CREATE POLICY for_reports ON item FOR SELECT TO PUBLIC USING (true)")
    stage.settings["RLS_ENABLED"] = "false"
    answers = stage.answers(*(CHECK[n] for n in ("H108", "H117", "H118", "H121", "H122")))
    assert [(a.findings, a.undetermined) for a in answers] == [((), None)] * 5


def test_levels() -> None:
    """What lets another user see or change a row is an error; what costs time is not."""
    levels = {check.number: check.level for check in CHECKS}
    assert [n for n, level in levels.items() if level is Level.NOTE] == ["H119", "H127"]
    warnings = [n for n, level in levels.items() if level is Level.WARNING]
    assert warnings == ["H107", "H120", "H121", "H122", "H123", "H124", "H129"]
