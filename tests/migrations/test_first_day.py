"""A database that no upgrade has reached: autogenerate writes all of it, and makes no role."""

from sqlalchemy import text

from tests.migrations.opening import Open
from tests.migrations.support import MiniProject


def existing_roles(project: MiniProject) -> list[str]:
    with project.deployment.database.as_owner() as owner:
        names = {"names": list(project.deployment.roles.names)}
        query = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)")
        return list(owner.scalars(query, names))


def test_check_and_autogenerate_need_no_roles_and_make_none(started: Open) -> None:
    """P38, P39: policies that the tables have already are compared, too."""
    with started("drift") as project:
        project.use("models")
        project.by_hand(
            'CREATE TABLE "user" (id uuid PRIMARY KEY)',
            "CREATE TABLE note (id serial PRIMARY KEY, shared bool NOT NULL, locked bool NOT NULL,"
            ' owner_id uuid NOT NULL REFERENCES "user")',
            "CREATE INDEX ix_note_owner_id ON note (owner_id)",
            "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY note_owner_select ON note USING (true)",
        )
        assert "('create_rls_policy', 'note_owner_select'" in project.differences()
        revision = project.revise("readers are kept apart").read_text(encoding="utf-8")
        assert "op.drop_rls_policy('note_owner_select', 'note')" in revision
        assert existing_roles(project) == []
        project.there_and_back()
