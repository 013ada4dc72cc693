"""docs/how-to/adopt-the-official-template.md, step by step."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL, text

from tests.migrations.support import PROJECTS, MiniProject
from tests.support.databases import PROJECT
from tests.support.deployments import deployment, unique_role_names

TEMPLATE = PROJECTS / "official_template"
BACKFILL = """    op.execute('UPDATE "user" SET created_at = now() WHERE created_at IS NULL')
    op.execute('UPDATE item SET created_at = now() WHERE created_at IS NULL')
    op.execute('UPDATE "user" SET email = lower(email) WHERE email <> lower(email)')
"""


def settings_of_alembic() -> str:
    """Return this project's alembic.ini, for migrations that lie beside it."""
    ini = (PROJECT / "alembic.ini").read_text(encoding="utf-8")
    ini = ini.replace("script_location = %(here)s/app/alembic", "script_location = %(here)s")
    return ini.replace("prepend_sys_path = %(here)s", f"prepend_sys_path = {PROJECT}")


@pytest.fixture
def adopted(server: URL, tmp_path: Path) -> Iterator[MiniProject]:
    """Yield a project with the official template's migrations, and its database with data."""
    with deployment(server, unique_role_names("mp_")) as own:
        shutil.copytree(TEMPLATE / "versions", tmp_path / "versions")
        shutil.copy(TEMPLATE / "env.py", tmp_path)
        (tmp_path / "alembic.ini").write_text(settings_of_alembic(), encoding="utf-8")
        project = MiniProject("official_template", tmp_path, own, own.database.owner_url)
        project.alembic("upgrade", "0001")
        yield project


def add(project: MiniProject, email: str, created_at: str = "") -> UUID:
    """Add a user with an item of the same name."""
    user = uuid4()
    column, value = (", created_at", ", now()") if created_at else ("", "")
    project.by_hand(
        f'INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser{column})'
        f" VALUES ('{user}', '{email}', 'x', true, false{value})",
        f"INSERT INTO item (id, title, owner_id{column})"
        f" VALUES (gen_random_uuid(), '{email}', '{user}'{value})",
    )
    return user


def rows(project: MiniProject) -> list[tuple[object, ...]]:
    """Return everything but the times, as the owner sees it."""
    query = text(
        'SELECT "user".id, email, hashed_password, item.id, title, description, owner_id'
        ' FROM "user" LEFT JOIN item ON item.owner_id = "user".id ORDER BY email'
    )
    with project.deployment.database.as_owner() as owner:
        return [tuple(row) for row in owner.execute(query)]


def test_the_official_templates_database_is_taken_over(adopted: MiniProject) -> None:
    project = adopted
    add(project, "old@example.com")
    project.alembic("upgrade", "head")
    new = add(project, "New@example.com", created_at="now()")
    before = rows(project)

    # The environment is this project's from here on; the migrations stay.
    for file in ("env.py", "script.py.mako"):
        shutil.copy(PROJECT / "app" / "alembic" / file, project.folder)
    revision = project.revise("row security")
    source = revision.read_text(encoding="utf-8")
    assert "'0002'" in source
    first = source.index("    op.alter_column(")
    revision.write_text(source[:first] + BACKFILL + source[first:], encoding="utf-8")
    project.there_and_back()

    lowered = [(row[0], "new@example.com", *row[2:]) if row[0] == new else row for row in before]
    assert rows(project) == lowered
    with project.as_user(new) as connection:
        assert connection.execute("SELECT title FROM item").fetchall() == [("New@example.com",)]
        assert connection.execute("DELETE FROM item").rowcount == 1
        assert connection.execute('SELECT email FROM "user"').fetchall() == [("new@example.com",)]
        # Who signs in finds the account by the address, and no other.
        connection.execute("SET app.user_id = 'old@example.com'")
        connection.execute("SET app.role = 'sign_in'")
        connection.execute(f"SET ROLE {project.deployment.roles.sign_in}")
        found = connection.execute('SELECT email, hashed_password FROM "user"').fetchall()
        assert found == [("old@example.com", "x")]
