"""docs/how-to/adopt-a-tenant-project.md, step by step, while both versions of the project run."""

import runpy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL, NullPool, create_engine

import hedgerow
from hedgerow import RowSecurity, sql
from tests.migrations.opening import new_project
from tests.migrations.support import PROJECTS, MiniProject
from tests.migrations.test_offline import run_psql
from tests.support.databases import Database
from tests.support.deployments import PASSWORD
from tests.support.raw import RawConnection, connect

FIXTURE = PROJECTS / "tenants"
DATA = [
    "INSERT INTO organization (name) VALUES ('ours'), ('theirs')",
    "INSERT INTO account (email) VALUES ('ann@example.com'), ('ben@example.com')",
    "INSERT INTO organization_member (organization_id, account_id, role)"
    " VALUES (1, 1, 'owner'), (2, 2, 'owner')",
    "INSERT INTO project (organization_id, name) VALUES (1, 'ours'), (2, 'theirs')",
    "INSERT INTO task (project_id, title) VALUES (1, 'ours'), (2, 'theirs')",
]
ANN, OURS, THEIRS = 1, 1, 2
FORCE = {"RLS_FORCE": "true"}
OLD = 'OLD = frozenset({"tenant_isolation", "old_version"})'
FOR_EVERYBODY = """
    SELECT tablename, policyname FROM pg_policies WHERE 'public' = ANY (roles);
"""
WITHOUT_OWNER = """
    SELECT id, name FROM organization WHERE id NOT IN (
        SELECT organization_id FROM organization_member WHERE role = 'owner'
    );
"""


class Versions:
    """The project under adoption, and the connections of its two versions."""

    def __init__(self, project: MiniProject) -> None:
        self.project = project
        self.web = f"crm_web_{uuid4().hex[:10]}"
        self.old_login = project.owner

    def use_web(self) -> None:
        """Let the old version log in as the role that it gets in step 1."""
        self.old_login = self.project.owner.set(username=self.web, password=PASSWORD)

    @contextmanager
    def old(self, organization: int | None) -> Iterator[RawConnection]:
        """Yield a request of the old version."""
        with connect(self.old_login) as connection:
            if organization is not None:
                connection.execute(f"SET app.current_org = '{organization}'")
            yield connection

    @contextmanager
    def new(self, account: int = ANN, organization: int | None = None) -> Iterator[RawConnection]:
        """Yield a request of the new version, in which the old one's setting is forged."""
        with self.project.as_user(account) as connection:
            connection.execute(f"SET app.current_org = '{THEIRS}'")
            if organization is not None:
                connection.execute(f"SET app.tenant_id = '{organization}'")
            yield connection

    def run(self, script: str) -> None:
        """Run a script of the fixture as the owner, with the name of this test's role."""
        source = (FIXTURE / script).read_text(encoding="utf-8").replace("crm_web", self.web)
        file = self.project.folder / script
        file.write_text(source, encoding="utf-8")
        run_psql(self.project.owner, file)

    def asked(self, question: str) -> list[tuple[object, ...]]:
        """Return what the owner is told, past all policies."""
        with connect(self.project.deployment.database.owner_url) as connection:
            return connection.execute(question.encode()).fetchall()

    def assert_old_is_as_ever(self) -> None:
        """The old version sees the organization that it names, and writes there."""
        for organization, name in ((OURS, "ours"), (THEIRS, "theirs")):
            with self.old(organization) as connection:
                assert seen(connection, "SELECT name FROM project") == {name}
                joined = "SELECT title FROM task JOIN project ON project.id = project_id"
                assert seen(connection, joined) == {name}
                assert seen(connection, "SELECT email FROM account") >= {"ben@example.com"}
        with self.old(None) as connection, pytest.raises(psycopg.Error, match=r"app\.current_org"):
            connection.execute("SELECT name FROM project")
        with self.old(OURS) as connection:
            connection.execute("INSERT INTO project (organization_id, name) VALUES (1, 'new')")
            connection.execute("INSERT INTO task (project_id, title) VALUES (1, 'new')")
            connection.execute("INSERT INTO organization (name) VALUES ('new')")
            connection.execute(
                "INSERT INTO organization_member (organization_id, account_id, role)"
                " VALUES (currval('organization_id_seq'), 1, 'owner')"
            )
            with pytest.raises(psycopg.Error, match="row-level security"):
                connection.execute("INSERT INTO project (organization_id, name) VALUES (2, 'x')")

    def assert_new_keeps_apart(self) -> None:
        """The new version shows a member's rows, and those of no other tenant however asked."""
        for organization in (None, OURS):
            with self.new(organization=organization) as connection:
                assert seen(connection, "SELECT name FROM organization") == {"ours"}
                assert seen(connection, "SELECT name FROM project") == {"ours"}
                assert seen(connection, "SELECT title FROM task") == {"ours"}
                assert seen(connection, "SELECT account_id FROM organization_member") == {ANN}
                assert seen(connection, "SELECT email FROM account") == {"ann@example.com"}
        with self.new(organization=THEIRS) as connection:
            assert seen(connection, "SELECT name FROM project") == set()
        with self.new() as connection:
            connection.execute("INSERT INTO project (organization_id, name) VALUES (1, 'new')")
            with pytest.raises(psycopg.Error, match="row-level security"):
                connection.execute("INSERT INTO project (organization_id, name) VALUES (2, 'x')")


def seen(connection: RawConnection, query: str) -> set[object]:
    return {value for (value,) in connection.execute(query).fetchall()}


@pytest.fixture
def versions(server: URL, tmp_path: Path) -> Iterator[Versions]:
    """Yield a project whose requests log in as the tables' owner, with a row of each tenant."""
    with new_project(server, tmp_path, "tenants", "CREATEROLE") as project:
        versions = Versions(project)
        shutil.copy(PROJECTS / "official_template" / "env.py", tmp_path)
        shutil.copy(FIXTURE / "versions" / "0001_organizations.py", tmp_path / "versions")
        project.alembic("upgrade", "head")
        project.by_hand(*DATA)
        yield versions
    with Database(server).as_owner() as connection:
        connection.execute(sql.Statement(f"DROP ROLE IF EXISTS {versions.web}"))


def test_a_tenant_project_is_adopted_without_a_window_of_exposure(versions: Versions) -> None:
    """P1, P29, P30: each step is looked at from both versions."""
    project = versions.project
    versions.assert_old_is_as_ever()

    # 1. A login for the old version.
    project.by_hand(f"CREATE ROLE {versions.web} LOGIN PASSWORD '{PASSWORD}'")
    assert versions.asked(FOR_EVERYBODY) == [("project", "tenant_isolation")]
    versions.run("old_login.sql")
    assert versions.asked(FOR_EVERYBODY) == []
    versions.assert_old_is_as_ever()  # processes that log in as the owner still
    versions.use_web()
    versions.assert_old_is_as_ever()

    # 2. What the data says.
    assert versions.asked(WITHOUT_OWNER) == []

    # 3. and 4. Declare, and migrate while the old version runs.
    shutil.copy(PROJECTS.parent / "set_up" / "env.py", project.folder)
    project.use("after")
    upgrade, _ = project.revise("row security", **FORCE).read_text("utf-8").split("def downgrade")
    assert not any(word in upgrade for word in ("op.drop_", "op.disable_", "op.no_", "op.revoke_"))
    project.alembic("upgrade", "head", **FORCE)
    project.alembic("check", **FORCE)
    versions.assert_old_is_as_ever()

    # 5. Both versions run.
    assert_ready(project)
    versions.assert_new_keeps_apart()
    project.alembic("downgrade", "-1", **FORCE)  # the way back
    versions.assert_old_is_as_ever()
    project.alembic("upgrade", "head", **FORCE)

    # 6. The old version has ended.
    versions.run("old_login_ends.sql")
    project.by_hand(f"DROP ROLE {versions.web}")
    versions.assert_new_keeps_apart()
    models = project.folder / "models.py"
    source = models.read_text(encoding="utf-8").replace(OLD, "")
    source = source.replace("        unmanaged=OLD,\n", "").replace(", unmanaged=OLD", "")
    models.write_text(source, encoding="utf-8")
    last = project.revise("the policy of the version before", **FORCE).read_text("utf-8")
    upgrade, _ = last.split("def downgrade")
    assert not any(word in upgrade for word in ("op.create_", "op.grant_", "op.disable_", "op.no_"))
    assert "op.drop_rls_policy('tenant_isolation', 'project')" in upgrade
    project.alembic("upgrade", "head", **FORCE)
    project.alembic("check", **FORCE)
    versions.assert_new_keeps_apart()
    assert_ready(project)


def assert_ready(project: MiniProject) -> None:
    """The new version starts."""
    metadata = runpy.run_path(str(project.folder / "models.py"))["Base"].metadata
    row_security = RowSecurity(project.deployment.roles, id_type="bigint", force=True)
    engine = create_engine(project.deployment.app_url, poolclass=NullPool)
    hedgerow.verify(hedgerow.guard(engine, row_security), metadata, row_security)
