"""`alembic check` finds what was changed by hand."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import URL

from tests.migrations.changes_by_hand import OTHER_CHANGES, TABLE_CHANGES
from tests.migrations.opening import migrated_project
from tests.migrations.support import MiniProject
from tests.support.databases import server_version

pytestmark = pytest.mark.xdist_group("migrations: drift")


@pytest.fixture(scope="module")
def project(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniProject]:
    """Yield a migrated project, for tests that leave it as they find it."""
    folder = tmp_path_factory.mktemp("drift")
    with migrated_project(server, folder, "drift", "models") as project:
        yield project


@contextmanager
def changed(project: MiniProject, change: str, undo: str) -> Iterator[None]:
    """Change something by hand, and back; {app} and the like stand for the roles' names."""
    project.by_hand(with_names(project, change))
    try:
        yield
    finally:
        project.by_hand(with_names(project, undo))


def with_names(project: MiniProject, template: str) -> str:
    roles = project.deployment.roles
    return template.format(app=roles.app, admin=roles.admin)


def test_tables_changed_by_hand(project: MiniProject) -> None:
    """P9, P29, P30, P37, P38."""
    with ExitStack() as changes:
        for change, undo, _ in TABLE_CHANGES:
            changes.enter_context(changed(project, change, undo))
        said = project.differences()
    assert [seen for _, _, seen in TABLE_CHANGES if seen not in said] == []
    project.alembic("check")


def test_roles_and_functions_changed_by_hand(project: MiniProject) -> None:
    """P1, P2, P17: `alembic upgrade head` fixes them, without a revision."""
    project.by_hand(*(with_names(project, change) for change, _ in OTHER_CHANGES))
    line = project.refused("check")
    assert [seen for _, seen in OTHER_CHANGES if with_names(project, seen) not in line] == []
    assert "Run `alembic upgrade head`" in line
    project.alembic("upgrade", "head")
    assert "rls.was_ours() is not" in project.refused("check")
    project.by_hand("DROP FUNCTION rls.was_ours()", "DROP AGGREGATE rls.many (int)")
    project.alembic("check")


def test_a_membership_inherited_by_its_grant(server: URL, project: MiniProject) -> None:
    """P2: from 16 on the grant decides, whatever the role's attribute says and whoever made it."""
    if server_version(server) < 160000:
        pytest.skip("PostgreSQL 15 knows the role's NOINHERIT only.")
    grant = "GRANT {admin} TO {app} WITH INHERIT TRUE"
    with changed(project, grant, "SELECT"):
        assert "without inheriting it" in project.refused("check")
        project.alembic("upgrade", "head")
        project.alembic("check")


def test_a_restoration_undoes_all_of_it_without_a_revision(project: MiniProject) -> None:
    """P57: what `hedgerow check` prints where policies are lost."""
    project.by_hand(*(with_names(project, change) for change, _, _ in TABLE_CHANGES))
    project.alembic("-x", "rls=restore", "upgrade", "head")
    project.alembic("check")


def test_a_restoration_is_for_the_newest_revision_alone(project: MiniProject) -> None:
    line = project.refused("-x", "rls=restore", "downgrade", "-1")
    assert "run it with `upgrade head`" in line
    project.alembic("check")


def test_an_unmanaged_policy(project: MiniProject) -> None:
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
    assert "Table 'diary' does not say whose rows it holds" in line
    assert '__rls__ = hedgerow.Scope("owner_id"), or __rls__ = hedgerow.exempt(' in line


def test_a_revision_fixes_all_of_it_and_its_downgrade_brings_it_back(
    server: URL, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """P29, P37, P38."""
    folder = tmp_path_factory.mktemp("fixed")
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
        project.revise("fix")
        # ENABLE is no history: the environment switches it on again after a downgrade.
        project.by_hand("ALTER TABLE note ENABLE ROW LEVEL SECURITY")
        project.there_and_back()
