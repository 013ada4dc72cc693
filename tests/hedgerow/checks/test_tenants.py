"""The checks know tenants: silent where they are kept apart, and not where they are not."""

from collections.abc import Iterator

import pytest
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL

from hedgerow import DatabaseNotReadyError
from hedgerow.checks import CHECKS
from hedgerow.checks.fixes import RESTORE
from hedgerow.checks.readiness import verify
from hedgerow.migrations.restore import restore
from tests.hedgerow.checks.fault import DatabaseFault
from tests.hedgerow.checks.stage import Stage
from tests.hedgerow.tenants.teams import fill, teams
from tests.support import declared
from tests.support.databases import clone, clone_template, drop

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
    stage.assert_good()


_TENANTS = (
    "CREATE OR REPLACE FUNCTION rls.tenants(roles text[] DEFAULT NULL) RETURNS integer[]"
    " LANGUAGE sql STABLE SECURITY DEFINER {} RETURN ARRAY(SELECT id FROM public.team)"
)

FAULTS = (
    DatabaseFault("H104", "document", "DROP FUNCTION rls.tenants CASCADE"),
    DatabaseFault("H105", "rls.tenants(text[])", "DROP FUNCTION rls.tenants CASCADE"),
    DatabaseFault(
        "H105", "rls.tenants(text[])", _TENANTS.format("SET search_path = pg_catalog, pg_temp")
    ),
    DatabaseFault("H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants RESET search_path"),
    DatabaseFault("H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants SECURITY INVOKER"),
    DatabaseFault(
        "H105", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants OWNER TO rls_maintenance_admin"
    ),
    DatabaseFault(
        "H105", "rls.tenants(text[])", "REVOKE EXECUTE ON FUNCTION rls.tenants FROM PUBLIC"
    ),
    DatabaseFault("H105", "rls.founded()", "ALTER FUNCTION rls.founded IMMUTABLE"),
    DatabaseFault(
        "H105",
        "rls.founds_tenants()",
        "CREATE OR REPLACE FUNCTION rls.founds_tenants() RETURNS boolean LANGUAGE sql RETURN false",
    ),
    DatabaseFault(
        "H105", "team Hedgerow_found_tenant", 'DROP TRIGGER "Hedgerow_found_tenant" ON team'
    ),
    DatabaseFault(
        "H105",
        "membership Hedgerow_keep_an_owner",
        'ALTER TABLE membership DISABLE TRIGGER "Hedgerow_keep_an_owner"',
    ),
    DatabaseFault(
        "H105",
        "membership Hedgerow_keep_an_owner",
        'ALTER TABLE membership ENABLE REPLICA TRIGGER "Hedgerow_keep_an_owner"',
    ),
    DatabaseFault(
        "H105",
        "rls.keep_an_owner()",
        "CREATE OR REPLACE FUNCTION rls.keep_an_owner() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'",
    ),
    DatabaseFault(
        "H106", "rls.teams()", "CREATE FUNCTION rls.teams() RETURNS int LANGUAGE sql RETURN 1"
    ),
    DatabaseFault("H112", "rls.tenants(text[])", _TENANTS.format("")),
    DatabaseFault(
        "H112", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants OWNER TO rls_maintenance_admin"
    ),
    DatabaseFault("H113", "rls.tenants(text[])", "ALTER FUNCTION rls.tenants RESET search_path"),
    DatabaseFault("H117", "rls.tenants(text[])", _TENANTS.format("")),
    DatabaseFault(
        "H117",
        "document.document_member_select",
        "ALTER POLICY document_member_select ON document USING (team_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H117",
        "membership.membership_own_select",
        "ALTER POLICY membership_own_select ON membership USING (role <> 'owner' OR user_id <> '"
        "00000000-0000-0000-0000-000000000001')",
    ),
    DatabaseFault(
        "H117",
        "visit.visit_member_select",
        "ALTER POLICY visit_member_select ON visit USING (location_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H118",
        "team.team_member_update",
        "ALTER POLICY team_member_update ON team WITH CHECK ((SELECT rls.user_id()) IS NOT NULL)",
    ),
    DatabaseFault(
        "H118",
        "team.team_member_insert",
        "ALTER POLICY team_member_insert ON team WITH CHECK (true)",
    ),
    DatabaseFault(
        "H118",
        "membership.by_invitation",
        "CREATE POLICY by_invitation ON membership FOR INSERT TO rls_app_user"
        " WITH CHECK (role <> 'owner' IS NOT FALSE)",
    ),
    DatabaseFault(
        "H121",
        "document SELECT",
        "ALTER POLICY document_member_select ON document USING (team_id IN (SELECT m.team_id"
        " FROM membership AS m WHERE m.user_id = (SELECT rls.user_id())))",
    ),
    DatabaseFault(
        "H121",
        "person SELECT",
        "ALTER POLICY person_co_member_select ON person"
        " USING (coalesce(id = ANY ((SELECT rls.co_members())::uuid[]), false))",
    ),
    DatabaseFault(
        "H122",
        "document.document_member_select",
        "ALTER POLICY document_member_select ON document USING (team_id = ANY (rls.tenants()))",
    ),
    DatabaseFault(
        "H122",
        "lead.lead_claim_select",
        "ALTER POLICY lead_claim_select ON lead USING (org_id = rls.claim('org')::int)",
    ),
    DatabaseFault(
        "H123",
        "ix_document_number",
        "ALTER TABLE document ADD number numeric;"
        " CREATE INDEX ix_document_number ON document (number)",
    ),
    DatabaseFault("H124", "document.team_id", "DROP INDEX ix_document_team_id"),
    DatabaseFault("H124", "membership.user_id", "DROP INDEX ix_membership_user_id"),
    DatabaseFault("H124", "draft.team_id", "DROP INDEX ix_draft_team_id"),
    DatabaseFault("H124", "lead.org_id", "DROP INDEX ix_lead_org_id"),
)


@pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{fault.check}-{position}" for position, fault in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_its_fix_fixes_it(stage: Stage, fault: DatabaseFault) -> None:
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
