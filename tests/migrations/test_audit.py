"""The audit trail by migration: switched on, changed and off again, there and back."""

import dataclasses
from pathlib import Path
from uuid import UUID

from sqlalchemy import URL, text

from tests.migrations.opening import Open, new_project
from tests.migrations.support import MiniProject
from tests.migrations.test_offline import run_psql
from tests.support.databases import create_empty, drop
from tests.support.elevation import record_elevation
from tests.support.raw import connect

ALICE = UUID(int=1)


def change_everything(project: MiniProject, admin: UUID) -> None:
    """Be an admin of this deployment's, who changes a row of each table."""
    identity = {"app.user_id": str(admin), "app.role": "admin"}
    with connect(project.deployment.app_url) as connection:
        elevation = record_elevation(connection, identity)
        settings = {**identity, "app.elevation": elevation, "role": project.deployment.roles.admin}
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        connection.execute('UPDATE "user" SET is_active = NOT is_active')
        connection.execute('UPDATE "Task ""1""" SET state = state || \'.\'')
        connection.execute("UPDATE seat SET number = number + 1")
        connection.commit()


def recorded(project: MiniProject, admin: UUID) -> set[tuple[object, ...]]:
    with project.deployment.database.as_owner() as owner:
        rows = owner.execute(
            text(
                "SELECT table_name, row_key::text, owner, columns::text, changes::text"
                " FROM rls.audit WHERE event = 'change' AND user_id = :admin"
            ),
            {"admin": str(admin)},
        )
        return {tuple(row) for row in rows}


def test_switched_on_changed_and_off_again(opened: Open) -> None:
    """P40, P41: literal revisions, and role names of a deployment's own."""
    with opened("audited") as project:
        project.by_hand(
            f"INSERT INTO \"user\" VALUES ('{ALICE}', true)",
            f'INSERT INTO "Task ""1""" (state, owner_id) VALUES (\'new\', \'{ALICE}\')',
            f"INSERT INTO seat VALUES (1, 2, '{ALICE}')",
        )
        revision = move(project, "switched_on")
        up, down = revision.split("def downgrade")
        assert "op.create_rls_audit()" in up
        assert up.count("op.create_audit_trigger(") == 3
        assert "op.create_audit_trigger('seat', key=['row', 'number'], owner='owner_id')" in up
        assert "op.drop_rls_audit()" in down
        assert down.index("op.drop_audit_trigger(") < down.index("op.drop_rls_audit()")
        first = UUID(int=11)
        change_everything(project, first)
        assert recorded(project, first) == {
            (
                "public.seat",
                '{"row": 1, "number": 2}',
                str(ALICE),
                "{number}",
                '{"number": [2, 3]}',
            ),
            ('public."Task ""1"""', '{"id": 1}', str(ALICE), "{state}", None),
            ('public."user"', f'{{"id": "{ALICE}"}}', None, "{is_active}", None),
        }

        up, down = move(project, "with_values").split("def downgrade")
        assert up.count("op.create_audit_trigger(") == 1
        assert "values=['state']" in up
        assert up.count("op.drop_audit_trigger(") == 3
        assert "values=" not in down
        assert "rls_audit" not in up.replace("_rls_audit", "")
        second = UUID(int=12)
        change_everything(project, second)
        assert recorded(project, second) == {
            (
                'public."Task ""1"""',
                '{"id": 1}',
                str(ALICE),
                "{state}",
                '{"state": ["new.", "new.."]}',
            )
        }
        assert len(recorded(project, first)) == 3  # a change of the models removes no entry

        project.use("before")
        revision = project.revise("off").read_text(encoding="utf-8")
        assert "op.drop_rls_audit()" in revision.split("def downgrade")[0]
        project.there_and_back()
        # Admins go on without a trail.
        identity = {"app.user_id": str(first), "app.role": "admin"}
        with connect(project.deployment.app_url) as connection:
            for name, value in {**identity, "role": project.deployment.roles.admin}.items():
                connection.execute("SELECT set_config(%s, %s, true)", [name, value])
            assert connection.execute("SELECT count(*) FROM seat").fetchone() == (1,)


def move(project: MiniProject, models: str) -> str:
    """Revise to other models and upgrade; the way back is walked once, at the end."""
    project.use(models)
    revision = project.revise(models)
    before = project.schema()
    project.alembic("upgrade", "head")
    assert "No new upgrade operations detected" in project.alembic("check")
    after = project.schema()
    project.alembic("downgrade", "-1")
    assert project.schema() == before
    project.alembic("upgrade", "head")
    assert project.schema() == after
    return revision.read_text(encoding="utf-8")


def test_the_offline_script_makes_the_same_trail(server: URL, tmp_path: Path) -> None:
    with new_project(server, tmp_path, "audited") as project:
        project.use("with_values")
        project.revise("models")
        script = tmp_path / "upgrade.sql"
        script.write_text(project.alembic("upgrade", "head", "--sql"), encoding="utf-8")
        other = create_empty(server)
        try:
            run_psql(project.owner.set(database=other.name), script)
            by_script = dataclasses.replace(project, owner=project.owner.set(database=other.name))
            by_script.alembic("check")
            project.alembic("upgrade", "head")
            by_hand = dataclasses.replace(
                project, deployment=dataclasses.replace(project.deployment, database=other)
            )
            # Made by the command alone, and only where the owner is a superuser.
            project.by_hand("DROP EVENT TRIGGER IF EXISTS rls_audit_login")
            assert by_hand.schema() == project.schema()
        finally:
            drop(other)
