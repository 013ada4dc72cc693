"""The checks know tenants: silent where they are kept apart, and not where they are not."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL

from hedgerow import DatabaseNotReadyError
from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE
from hedgerow.checks import CHECKS
from hedgerow.checks.fixes import RESTORE
from hedgerow.checks.readiness import verify
from hedgerow.migrations.restore import restore
from tests.hedgerow.checks.stage import Stage
from tests.hedgerow.tenants.teams import fill, teams
from tests.support import declared
from tests.support.databases import clone, clone_template, drop, server_version

CHECK = {check.number: check for check in CHECKS}
NEWEST = 180007
MODELS = teams()


@pytest.fixture(scope="module")
def model(server: URL) -> Iterator[Stage]:
    """Yield a database of teams with rows in it, which each test copies."""
    database = clone_template(server)
    declared.declare_in(database, metadata=MODELS)
    with database.as_owner() as owner:
        fill(owner)
    yield Stage(database, metadata=MODELS, server_version=NEWEST)
    drop(database)


@pytest.fixture
def stage(model: Stage) -> Iterator[Stage]:
    own = Stage(clone(model.database), metadata=MODELS, server_version=NEWEST)
    yield own
    drop(own.database)


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_a_database_of_tenants_is_good(stage: Stage, filled: bool) -> None:
    if not filled:
        stage.run_sql("TRUNCATE team, person, lead CASCADE; ANALYZE")
    records_logins = server_version(stage.database.owner_url) >= LOGIN_TRIGGERS_SINCE
    checks = [check for check in CHECKS if records_logins or check.number != "H127"]
    answers = stage.answers(*checks)
    assert [(a.check.number, a.findings, a.undetermined) for a in answers] == [
        (check.number, (), None) for check in checks
    ]


@dataclass(frozen=True)
class _Fault:
    """What is done to the database as the owner, and what the check then says."""

    check: str
    subject: str
    plant: str


_TENANTS = (
    "CREATE OR REPLACE FUNCTION rls.tenants(roles text[] DEFAULT NULL) RETURNS integer[]"
    " LANGUAGE sql STABLE SECURITY DEFINER {} RETURN ARRAY(SELECT id FROM public.team)"
)

FAULTS = (
    _Fault("H104", "document", "DROP FUNCTION rls.tenants CASCADE"),
    _Fault("H105", "rls.tenants(text[])", "DROP FUNCTION rls.tenants CASCADE"),
    _Fault("H105", "rls.tenants(text[])", _TENANTS.format("SET search_path = pg_catalog, pg_temp")),
    _Fault("H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants RESET search_path"),
    _Fault("H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants SECURITY INVOKER"),
    _Fault(
        "H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants OWNER TO rls_maintenance_admin"
    ),
    _Fault("H105", "rls.tenants(text[])", "REVOKE EXECUTE ON FUNCTION rls.tenants FROM PUBLIC"),
    _Fault("H105", "rls.founded()", "ALTER FUNCTION rls.founded IMMUTABLE"),
    _Fault(
        "H105",
        "rls.founds_tenants()",
        "CREATE OR REPLACE FUNCTION rls.founds_tenants() RETURNS boolean LANGUAGE sql RETURN false",
    ),
    _Fault("H105", "team Hedgerow_found_tenant", 'DROP TRIGGER "Hedgerow_found_tenant" ON team'),
    _Fault(
        "H105",
        "membership Hedgerow_keep_an_owner",
        'ALTER TABLE membership DISABLE TRIGGER "Hedgerow_keep_an_owner"',
    ),
    _Fault(
        "H105",
        "membership Hedgerow_keep_an_owner",
        'ALTER TABLE membership ENABLE REPLICA TRIGGER "Hedgerow_keep_an_owner"',
    ),
    _Fault(
        "H105",
        "rls.keep_an_owner()",
        "CREATE OR REPLACE FUNCTION rls.keep_an_owner() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
    ),
    _Fault("H106", "rls.teams()", "CREATE FUNCTION rls.teams() RETURNS int LANGUAGE sql RETURN 1"),
    _Fault("H112", "rls.tenants(text[])", _TENANTS.format("")),
    _Fault(
        "H112", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants OWNER TO rls_maintenance_admin"
    ),
    _Fault("H113", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants RESET search_path"),
    _Fault("H117", "rls.tenants(text[])", _TENANTS.format("")),
    _Fault(
        "H117",
        "document.document_member_select",
        "ALTER POLICY document_member_select ON document USING (team_id IS NOT NULL)",
    ),
    _Fault(
        "H117",
        "membership.membership_own_select",
        "ALTER POLICY membership_own_select ON membership USING (role <> 'owner' OR user_id <> '"
        "00000000-0000-0000-0000-000000000001')",
    ),
    _Fault(
        "H117",
        "visit.visit_member_select",
        "ALTER POLICY visit_member_select ON visit USING (location_id IS NOT NULL)",
    ),
    _Fault(
        "H118",
        "team.team_member_update",
        "ALTER POLICY team_member_update ON team WITH CHECK ((SELECT rls.user_id()) IS NOT NULL)",
    ),
    _Fault(
        "H118",
        "team.team_member_insert",
        "ALTER POLICY team_member_insert ON team WITH CHECK (true)",
    ),
    _Fault(
        "H118",
        "membership.by_invitation",
        "CREATE POLICY by_invitation ON membership FOR INSERT TO rls_app_user"
        " WITH CHECK (role <> 'owner' IS NOT FALSE)",
    ),
    _Fault(
        "H121",
        "document SELECT",
        "ALTER POLICY document_member_select ON document USING (team_id IN (SELECT m.team_id"
        " FROM membership AS m WHERE m.user_id = (SELECT rls.user_id())))",
    ),
    _Fault(
        "H121",
        "person SELECT",
        "ALTER POLICY person_co_member_select ON person"
        " USING (coalesce(id = ANY ((SELECT rls.co_members())::uuid[]), false))",
    ),
    _Fault(
        "H122",
        "document.document_member_select",
        "ALTER POLICY document_member_select ON document USING (team_id = ANY (rls.tenants()))",
    ),
    _Fault(
        "H122",
        "lead.lead_claim_select",
        "ALTER POLICY lead_claim_select ON lead USING (org_id = rls.claim('org')::int)",
    ),
    _Fault(
        "H123",
        "ix_document_number",
        "ALTER TABLE document ADD number numeric;"
        " CREATE INDEX ix_document_number ON document (number)",
    ),
    _Fault("H124", "document.team_id", "DROP INDEX ix_document_team_id"),
    _Fault("H124", "membership.user_id", "DROP INDEX ix_membership_user_id"),
    _Fault("H124", "draft.team_id", "DROP INDEX ix_draft_team_id"),
    _Fault("H124", "lead.org_id", "DROP INDEX ix_lead_org_id"),
)


@pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{fault.check}-{position}" for position, fault in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_its_fix_fixes_it(stage: Stage, fault: _Fault) -> None:
    stage.run_sql(fault.plant)
    (bad,) = stage.answers(CHECK[fault.check])
    assert bad.undetermined is None
    assert {finding.subject for finding in bad.findings} >= {fault.subject}
    assert all("\n" not in f"{finding.sentence} {finding.fix}" for finding in bad.findings)
    for fix in dict.fromkeys(finding.fix for finding in bad.findings):
        _fix(stage, fix)
    (fixed,) = stage.answers(CHECK[fault.check])
    assert (fixed.findings, fixed.undetermined) == ((), None)


def _fix(stage: Stage, fix: str) -> None:
    """Do what a fix says; the restoration here, for these are not the project's models."""
    if fix != RESTORE:
        stage.fix(fix)
        return
    with stage.database.as_owner() as owner:
        restore(owner, MigrationContext.configure(owner), MODELS, stage.row_security)


def test_the_start_stops_where_the_function_names_tenants_to_a_stranger(stage: Stage) -> None:
    """P7: every policy of tenants asks it."""
    engine = stage.database.engine(stage.database.app_url)
    verify(engine, MODELS, stage.row_security)
    stage.run_sql(_TENANTS.format(""))
    with pytest.raises(DatabaseNotReadyError) as refused:
        verify(engine, MODELS, stage.row_security)
    said = str(refused.value)
    assert said.startswith("Function 'rls.tenants(text[])' takes a user who is a member of no")
    assert said.endswith(f"To fix it, run `{RESTORE}`.")
