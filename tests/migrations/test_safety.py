"""A migration is not the place where data is silently lost."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, text

from tests.migrations.opening import make_roles, migrated_project, new_project
from tests.migrations.support import MiniProject
from tests.support.raw import connect

pytestmark = pytest.mark.xdist_group("migrations: safety")

BACKFILL = "UPDATE note SET title = 'touched'"
FOREIGN_KEY = "ALTER TABLE note ADD CONSTRAINT answers FOREIGN KEY (answers) REFERENCES note (id)"


@pytest.fixture(scope="module")
def project(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniProject]:
    """Yield a project under FORCE whose owner is not a superuser, with a note of each of two users.

    One of the notes answers a note that there never was.
    """
    folder = tmp_path_factory.mktemp("safety")
    with migrated_project(server, folder, "safety", "models", "CREATEROLE") as project:
        project.alembic("upgrade", "head", RLS_FORCE="true")
        for user in (uuid4(), uuid4()):
            project.by_hand(
                f"INSERT INTO \"user\" VALUES ('{user}')",
                f"INSERT INTO note (title, answers, owner_id) VALUES ('mine', 4711, '{user}')",
            )
        yield project


@pytest.fixture(autouse=True)
def no_new_revision(project: MiniProject) -> Iterator[None]:
    """Remove the revisions that a test wrote, which must have failed or been taken back."""
    known = set(project.revisions())
    yield
    for revision in set(project.revisions()) - known:
        revision.unlink()


def titles(project: MiniProject) -> list[str]:
    with project.deployment.database.as_owner() as superuser:
        return list(superuser.scalars(text("SELECT title FROM note ORDER BY id")))


def test_a_backfill_that_would_skip_rows_fails(project: MiniProject) -> None:
    """P35: and says how to write it."""
    project.write_revision(f'op.execute("{BACKFILL}")')
    line = project.refused("upgrade", "head", RLS_FORCE="true")
    assert 'row-level security policy for table "note"' in line
    assert "begin it with op.no_force_rls(table)" in line
    assert titles(project) == ["mine", "mine"]


def test_a_backfill_as_the_message_advises_touches_all_rows(project: MiniProject) -> None:
    """P35: the table is forced again at the end."""
    back = "op.no_force_rls('note')\nop.execute(\"UPDATE note SET title = 'mine'\")"
    project.write_revision(f"op.no_force_rls('note')\nop.execute(\"{BACKFILL}\")", back)
    project.alembic("upgrade", "head", RLS_FORCE="true")
    assert titles(project) == ["touched", "touched"]
    project.alembic("check", RLS_FORCE="true")
    project.alembic("downgrade", "-1", RLS_FORCE="true")
    assert titles(project) == ["mine", "mine"]


def test_a_backfill_without_that_setting_touches_nothing(project: MiniProject) -> None:
    """P35: what the tests above guard against."""
    with connect(project.owner) as connection:
        connection.execute("SET row_security = on")
        assert connection.execute(BACKFILL).rowcount == 0


def test_a_foreign_key_over_an_orphan_fails(project: MiniProject) -> None:
    """P36."""
    project.write_revision(f'op.execute("{FOREIGN_KEY}")')
    assert 'policy for table "note"' in project.refused("upgrade", "head", RLS_FORCE="true")


def test_a_foreign_key_without_that_setting_is_valid_over_an_orphan(project: MiniProject) -> None:
    """P36: what the test above guards against."""
    with connect(project.owner) as connection:
        connection.execute("SET row_security = on")
        connection.execute(FOREIGN_KEY)
        query = "SELECT convalidated FROM pg_constraint WHERE conname = 'answers'"
        assert connection.execute(query).fetchall() == [(True,)]


def test_a_failing_migration_changes_nothing(project: MiniProject) -> None:
    """Also not the migrations before it; one line, and exit code 1."""
    before = project.schema()
    project.write_revision("op.create_table('half', sa.Column('id', sa.Integer()))")
    project.write_revision(
        "op.drop_rls_policy('note_owner_select', 'note')\n"
        "op.create_rls_policy('x', 'note', command='SELECT', roles=['mp_nobody'], using='true')"
    )
    line = project.refused("upgrade", "head", RLS_FORCE="true")
    expected = 'The migration failed and was rolled back: role "mp_nobody" does not exist.'
    assert line == f"FAILED: {expected}"
    assert project.schema() == before


def test_two_upgrades_at_once(server: URL, tmp_path: Path) -> None:
    """One migrates, the other waits and finds nothing to do.

    The owner may not manage roles: where passwords are set, that alone would have one wait.
    """
    with new_project(server, tmp_path, "safety", "NOCREATEROLE") as project:
        project.use("models")
        make_roles(project, maker=project.deployment.database.owner_url)
        project.write_revision(
            "op.execute('SELECT pg_sleep(0.5)')\n"
            "op.create_table('once', sa.Column('id', sa.Integer()))"
        )
        upgrade = ("upgrade", "head")
        with project.start(*upgrade) as one, project.start(*upgrade) as other:
            for process in (one, other):
                _, err = process.communicate(timeout=120)
                assert process.returncode == 0, err
        assert "once" in project.schema()
