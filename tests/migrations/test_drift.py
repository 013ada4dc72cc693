"""What somebody changes by hand, `alembic check` sees."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import URL

from tests.migrations.support import MiniProject, migrated_project
from tests.support.databases import server_version

pytestmark = pytest.mark.xdist_group("migrations: drift")

OWNS = "(owner_id = (SELECT rls.user_id()))"


@pytest.fixture(scope="module")
def project(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniProject]:
    """Yield a migrated project, for tests that leave it as they find it."""
    folder = tmp_path_factory.mktemp("drift")
    with migrated_project(server, folder, "drift", "models") as project:
        yield project


@contextmanager
def changed(project: MiniProject, change: str, undo: str) -> Iterator[None]:
    """Change something by hand, and back; {app} and the like stand for the roles' names."""
    roles = project.deployment.roles
    names = {"app": roles.app, "admin": roles.admin, "reader": roles.read_only_admin}
    project.by_hand(change.format(**names))
    try:
        yield
    finally:
        project.by_hand(undo.format(**names))


@pytest.mark.parametrize(
    ("change", "undo", "seen"),
    [
        pytest.param(
            "ALTER POLICY note_owner_select ON note USING (true)",
            f"ALTER POLICY note_owner_select ON note USING {OWNS}",
            "('drop_rls_policy', 'note_owner_select', 'note'",
            id="USING, P38",
        ),
        pytest.param(
            "ALTER POLICY note_owner_update ON note WITH CHECK (true)",
            f"ALTER POLICY note_owner_update ON note WITH CHECK {OWNS}",
            "('drop_rls_policy', 'note_owner_update', 'note'",
            id="WITH CHECK, P30",
        ),
        pytest.param(
            "ALTER POLICY note_shared ON note TO PUBLIC",
            "ALTER POLICY note_shared ON note TO {app}",
            "('drop_rls_policy', 'note_shared', 'note'",
            id="roles",
        ),
        pytest.param(
            "DROP POLICY note_open ON note; CREATE POLICY note_open ON note FOR UPDATE TO {app}"
            " USING (NOT locked) WITH CHECK (NOT locked)",
            "DROP POLICY note_open ON note; CREATE POLICY note_open ON note AS RESTRICTIVE"
            " FOR UPDATE TO {app} USING (NOT locked) WITH CHECK (NOT locked)",
            "('drop_rls_policy', 'note_open', 'note'",
            id="permissive, P29",
        ),
        pytest.param(
            "DROP POLICY note_shared ON note",
            "CREATE POLICY note_shared ON note FOR SELECT TO {app} USING (shared)",
            "('create_rls_policy', 'note_shared', 'note'",
            id="missing policy",
        ),
        pytest.param(
            "CREATE POLICY backdoor ON note USING (true)",
            "DROP POLICY backdoor ON note",
            "('drop_rls_policy', 'backdoor', 'note'",
            id="rogue policy, P29",
        ),
        pytest.param(
            "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
            "('enable_rls', 'note'",
            id="ENABLE, P37",
        ),
        pytest.param(
            "ALTER TABLE note FORCE ROW LEVEL SECURITY",
            "ALTER TABLE note NO FORCE ROW LEVEL SECURITY",
            "('no_force_rls', 'note'",
            id="FORCE",
        ),
        pytest.param(
            "GRANT TRUNCATE ON note TO {app}",
            "REVOKE TRUNCATE ON note FROM {app}",
            "('revoke_table', 'note', ['TRUNCATE'], \"role='rls_app_user'\"",
            id="TRUNCATE, P9",
        ),
        pytest.param(
            "GRANT SELECT ON note TO PUBLIC",
            "REVOKE SELECT ON note FROM PUBLIC",
            "('revoke_table', 'note', ['SELECT'], \"role='public'\"",
            id="PUBLIC",
        ),
        pytest.param(
            "GRANT REFERENCES (id) ON note TO {app}",
            "REVOKE REFERENCES (id) ON note FROM {app}",
            "('revoke_table', 'note', ['REFERENCES (id)'], \"role='rls_app_user'\"",
            id="one column, P9",
        ),
        pytest.param(
            "REVOKE INSERT ON note FROM {admin}",
            "GRANT INSERT ON note TO {admin}",
            "('grant_table', 'note', ['INSERT'], \"role='rls_admin'\"",
            id="missing grant",
        ),
        pytest.param(
            "GRANT UPDATE ON SEQUENCE note_id_seq TO {app}",
            "REVOKE UPDATE ON SEQUENCE note_id_seq FROM {app}",
            "('revoke_sequence', 'note', 'id', ['UPDATE'], \"role='rls_app_user'\"",
            id="sequence",
        ),
    ],
)
def test_a_table_changed_by_hand(project: MiniProject, change: str, undo: str, seen: str) -> None:
    with changed(project, change, undo):
        assert seen in project.differences()


@pytest.mark.parametrize(
    ("change", "undo", "seen"),
    [
        pytest.param(
            "ALTER ROLE {app} BYPASSRLS",
            "ALTER ROLE {app} NOBYPASSRLS",
            "Role '{app}' should be NOBYPASSRLS.",
            id="attribute, P1",
        ),
        pytest.param(
            "REVOKE {admin} FROM {app}",
            "GRANT {admin} TO {app}",
            "Role '{app}' should be a member of '{admin}', without inheriting it.",
            id="membership",
        ),
        pytest.param(
            "GRANT pg_read_all_data TO {app}",
            "REVOKE pg_read_all_data FROM {app}",
            "Role '{app}' should not be a member of 'pg_read_all_data'.",
            id="rogue membership",
        ),
        pytest.param(
            "ALTER ROLE {app} INHERIT",
            "ALTER ROLE {app} NOINHERIT",
            "Role '{app}' should be NOINHERIT.",
            id="inheritance, P2",
        ),
        pytest.param(
            "CREATE OR REPLACE FUNCTION rls.role() RETURNS text LANGUAGE sql IMMUTABLE"
            " RETURN 'admin'",
            "SELECT",
            "Function rls.role() is altered or missing.",
            id="altered function, P17",
        ),
        pytest.param(
            "ALTER FUNCTION rls.role() RENAME TO was_role",
            "ALTER FUNCTION rls.was_role() RENAME TO role",
            "Function rls.role() is altered or missing. Function rls.was_role() is not Hedgerow's:"
            " drop it, or move it to another schema.",
            id="missing function, and one too many",
        ),
    ],
)
def test_what_is_not_history_changed_by_hand(
    project: MiniProject, change: str, undo: str, seen: str
) -> None:
    """`alembic upgrade head` mends it, without a revision."""
    roles = project.deployment.roles
    with changed(project, change, undo):
        line = project.refused("check")
        assert seen.format(app=roles.app, admin=roles.admin) in line
        assert "Run `alembic upgrade head`" in line
        if "rename" not in change.lower():
            project.alembic("upgrade", "head")
            project.alembic("check")


def test_a_membership_inherited_by_its_grant(server: URL, project: MiniProject) -> None:
    """P2: from 16 on the grant decides, whatever the role's attribute says; whoever made it."""
    if server_version(server) < 160000:
        pytest.skip("PostgreSQL 15 knows the role's NOINHERIT only.")
    grant = "GRANT {admin} TO {app} WITH INHERIT TRUE"
    with changed(project, grant, "SELECT"):
        assert "without inheriting it" in project.refused("check")
        project.alembic("upgrade", "head")
        project.alembic("check")


def test_a_policy_kept_by_hand(project: MiniProject) -> None:
    create = "CREATE POLICY note_of_the_day ON note FOR SELECT TO {app} USING (id = 1)"
    with changed(project, create, "DROP POLICY note_of_the_day ON note"):
        project.alembic("check")


def test_a_policy_that_names_a_missing_role(project: MiniProject) -> None:
    """P39: an error, and not "no change"."""
    project.use("missing_role")
    try:
        line = project.refused("check")
    finally:
        project.use("models")
    assert 'Row security cannot be compared: role "mp_nobody" does not exist' in line


def test_an_owner_without_a_word(project: MiniProject) -> None:
    project.use("undeclared")
    try:
        line = project.refused("check")
    finally:
        project.use("models")
    assert "Table 'diary' has a column 'owner_id' but no row security" in line
    assert "hedgerow.exempt('reason')" in line


def test_a_revision_mends_all_of_it_and_its_downgrade_brings_it_back(
    server: URL, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """P29, P37, P38."""
    folder = tmp_path_factory.mktemp("mended")
    with migrated_project(server, folder, "drift", "models") as project:
        app = project.deployment.roles.app
        project.by_hand(
            "ALTER POLICY note_owner_select ON note USING (true)",
            "DROP POLICY note_shared ON note",
            'CREATE POLICY "back\'door" ON note USING (shared OR locked)',
            "ALTER TABLE note DISABLE ROW LEVEL SECURITY",
            "GRANT SELECT, TRUNCATE ON note TO PUBLIC",
            f"GRANT REFERENCES (id) ON note TO {app}",
        )
        project.revise("mend")
        # ENABLE is no history: the environment switches it on again after a downgrade.
        project.by_hand("ALTER TABLE note ENABLE ROW LEVEL SECURITY")
        project.there_and_back()
