"""The checks know every declaration: silent where it is kept, and not where it is not."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import URL, Column, ForeignKey, MetaData, Table, text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
import hedgerow
from hedgerow import DatabaseNotReadyError, exempt
from hedgerow.checks import CHECKS
from hedgerow.checks.readiness import verify
from hedgerow.policies.registry import scope_of
from hedgerow.provisioning.switches import reconcile
from tests.hedgerow.checks.fault import DatabaseFault
from tests.hedgerow.checks.stage import Stage
from tests.support import declared
from tests.support.databases import Database, clone, clone_template, drop
from tests.support.sessions import ROW_SECURITY

CHECK = {check.number: check for check in CHECKS}
NEWEST = 180007


@pytest.fixture(scope="module")
def model(server: URL) -> Iterator[Stage]:
    """Yield a database with one table of each declaration, and rows, which each test copies."""
    database = clone_template(server)
    declared.declare_in(database)
    declared.fill(database)
    yield Stage(database, metadata=declared.METADATA, server_version=NEWEST)
    drop(database)


@pytest.fixture
def stage(model: Stage) -> Iterator[Stage]:
    own = Stage(clone(model.database), metadata=model.metadata, server_version=NEWEST)
    yield own
    drop(own.database)


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_a_database_of_every_declaration_is_good(stage: Stage, filled: bool) -> None:
    if not filled:
        stage.run_sql(f"TRUNCATE {', '.join(declared.METADATA.tables)} CASCADE; ANALYZE")
    stage.assert_good()


_SHARES = "CREATE OR REPLACE FUNCTION rls.shares_of_project_keys(to_write boolean) RETURNS uuid[]"

FAULTS = (
    DatabaseFault(
        "H105", "ticket (project_id)", 'DROP TRIGGER "Hedgerow_project_id_key" ON ticket'
    ),
    DatabaseFault(
        "H105",
        "ticket (project_id)",
        'ALTER TABLE ticket DISABLE TRIGGER "Hedgerow_project_id_key"',
    ),
    DatabaseFault(
        "H105",
        "ticket (project_id)",
        "CREATE OR REPLACE FUNCTION rls.key_of_ticket_project_id_71d22f9e_check() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ),
    DatabaseFault(
        "H105",
        "ticket (project_id)",
        "ALTER FUNCTION rls.key_of_ticket_project_id_71d22f9e_check() SECURITY DEFINER",
    ),
    DatabaseFault(
        "H105",
        "rls.shares_of_project_keys(boolean)",
        f"{_SHARES} LANGUAGE sql SECURITY DEFINER RETURN ARRAY(SELECT id FROM public.project)",
    ),
    DatabaseFault(
        "H105",
        "rls.shares_of_project_keys(boolean)",
        "DROP FUNCTION rls.shares_of_project_keys CASCADE",
    ),
    DatabaseFault(
        "H105",
        "task.task_parent_update",
        "ALTER POLICY task_parent_update ON task USING (project_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H105", "project rls_app_user", "GRANT UPDATE (owner_id) ON project TO rls_app_user"
    ),
    DatabaseFault("H105", "event rls_app_user", "GRANT DELETE ON event TO rls_app_user"),
    DatabaseFault(
        "H112",
        "rls.shares_of_project_keys(boolean)",
        f"{_SHARES} LANGUAGE sql SECURITY DEFINER RETURN ARRAY(SELECT id FROM public.project)",
    ),
    DatabaseFault(
        "H112",
        "rls.shares_of_everything_keys(boolean)",
        "CREATE FUNCTION rls.shares_of_everything_keys(boolean) RETURNS uuid[] LANGUAGE sql"
        " SECURITY DEFINER RETURN ARRAY(SELECT id FROM public.project)",
    ),
    DatabaseFault(
        "H117", "tag.tag_everyone_select", "ALTER POLICY tag_everyone_select ON tag USING (true)"
    ),
    DatabaseFault(
        "H117",
        "tag.tag_everyone_select",
        "DROP POLICY tag_everyone_select ON tag; CREATE POLICY tag_everyone_select ON tag"
        " FOR ALL TO rls_app_user USING ((SELECT rls.user_id()) IS NOT NULL)",
    ),
    DatabaseFault(
        "H117",
        "page.page_anonymous_select",
        "ALTER POLICY page_anonymous_select ON page USING (true)",
    ),
    DatabaseFault(
        "H117",
        "comment.comment_anonymous_select",
        "ALTER POLICY comment_anonymous_select ON comment USING (page_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H117",
        "label.label_everyone_select",
        "CREATE POLICY label_everyone_select ON label FOR SELECT TO rls_app_user"
        " USING ((SELECT rls.user_id()) IS NOT NULL)",
    ),
    DatabaseFault(
        "H117",
        "task.task_parent_select",
        "ALTER POLICY task_parent_select ON task USING (project_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H117",
        "project.project_shared_select",
        "ALTER POLICY project_shared_select ON project USING (id IS NOT NULL)",
    ),
    DatabaseFault(
        "H117", "path.path_parent_select", "ALTER POLICY path_parent_select ON path USING (true)"
    ),
    DatabaseFault(
        "H118",
        "task.task_parent_insert",
        "ALTER POLICY task_parent_insert ON task WITH CHECK (project_id IS NOT NULL)",
    ),
    DatabaseFault(
        "H118",
        "account.account_owner_update",
        "ALTER POLICY account_owner_update ON account WITH CHECK (true)",
    ),
    DatabaseFault(
        "H121",
        "task SELECT",
        "ALTER POLICY task_parent_select ON task"
        " USING (project_id IN (SELECT id FROM project) OR title = 'public')",
    ),
    DatabaseFault(
        "H121",
        "project UPDATE",
        "ALTER POLICY project_shared_update ON project"
        " USING (coalesce(id = ANY ((SELECT rls.shares_of_project_keys(true))::uuid[]), false))",
    ),
    DatabaseFault(
        "H122",
        "task.task_parent_select",
        "ALTER POLICY task_parent_select ON task USING (EXISTS (SELECT FROM project AS p"
        " WHERE p.id = task.project_id AND p.owner_id = rls.user_id()))",
    ),
    DatabaseFault(
        "H122",
        "project.project_shared_select",
        "ALTER POLICY project_shared_select ON project"
        " USING (id = ANY (rls.shares_of_project_keys(false)))",
    ),
    DatabaseFault(
        "H123",
        "ix_task_number",
        "ALTER TABLE task ADD number numeric; CREATE INDEX ix_task_number ON task (number)",
    ),
    DatabaseFault("H124", "task.project_id", "DROP INDEX ix_task_project_id"),
    DatabaseFault("H124", "task_tag.tag_id", "DROP INDEX ix_task_tag_tag_id"),
    DatabaseFault("H124", "project_share.user_id", "DROP INDEX ix_project_share_user_id"),
    DatabaseFault("H126", "task rls_audit", "ALTER TABLE task DISABLE TRIGGER rls_audit"),
)


@pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{fault.check}-{position}" for position, fault in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_its_fix_fixes_it(stage: Stage, fault: DatabaseFault) -> None:
    stage.run_sql(fault.plant)
    (bad,) = stage.answers(CHECK[fault.check])
    assert bad.undetermined is None
    assert fault.subject in {finding.subject for finding in bad.findings}
    if fault.plant.startswith(_SHARES):
        assert len(bad.findings) == 1  # not one for each policy that asks it
    for fix in dict.fromkeys(finding.fix for finding in bad.findings):
        stage.fix(fix)
    (fixed,) = stage.answers(CHECK[fault.check])
    assert (fixed.findings, fixed.undetermined) == ((), None)


def test_shares_are_read_by_the_owner_where_policies_apply_to_owners(server: URL) -> None:
    """RLS_FORCE is not for the table of shares: the function that tells of them sees them all."""
    forced = replace(ROW_SECURITY, force=True)
    database = clone_template(server)
    declared.declare_in(database, forced)
    with database.as_owner() as owner:
        reconcile(owner, declared.METADATA, forced)
        forced_tables = set(
            owner.scalars(text("SELECT relname FROM pg_class WHERE relforcerowsecurity"))
        )
    stage = Stage(database, settings={"RLS_FORCE": "true"}, metadata=declared.METADATA)
    (answer,) = stage.answers(CHECK["H104"])
    assert (answer.findings, answer.undetermined) == ((), None)
    assert "project" in forced_tables
    assert "project_share" not in forced_tables
    drop(database)


def test_the_start_names_a_table_that_says_nothing(database: Database) -> None:
    """P50: in one sentence, with the declarations that are likely."""
    models = MetaData()
    for table in SQLModel.metadata.sorted_tables:
        hedgerow.declare(table.to_metadata(models), scope_of(table) or exempt("unknown"))
    Table("comment", models, Column("item_id", ForeignKey("item.id"), primary_key=True))
    with pytest.raises(DatabaseNotReadyError) as refused:
        verify(database.engine(database.app_url), models, ROW_SECURITY)
    assert str(refused.value) == (
        "Table 'comment' does not say whose rows it holds, so requests get no privilege on it."
        ' Give its class one of __rls__ = hedgerow.Scope.through("item_id"),'
        ' or __rls__ = hedgerow.exempt("why every user may read it").'
    )
