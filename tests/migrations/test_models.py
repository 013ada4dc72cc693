"""What autogenerate writes as models change: each change there, back, and there again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL

from tests.migrations.support import MiniProject, migrated_project

Open = Callable[[str], AbstractContextManager[MiniProject]]


@pytest.fixture
def opened(server: URL, tmp_path: Path) -> Open:
    return lambda name: migrated_project(server, tmp_path, name)


def change(project: MiniProject) -> str:
    """Give the project its models of after, migrate there, back and there; return the revision."""
    project.use("after")
    revision = project.revise("after")
    project.there_and_back()
    return revision.read_text(encoding="utf-8")


def two_users(project: MiniProject) -> tuple[UUID, UUID]:
    alice, bob = uuid4(), uuid4()
    project.by_hand(f"INSERT INTO \"user\" (id) VALUES ('{alice}'), ('{bob}')")
    return alice, bob


def test_a_new_scoped_model(opened: Open) -> None:
    """P40: one revision, literal, in an order that reads well and goes both ways."""
    with opened("new_model") as project:
        revision = change(project)
        calls = [
            line.strip().split("(")[0]
            for line in revision.splitlines()
            if line.startswith("    op")
        ]
        middle = calls.index("op.drop_index")
        assert calls[:middle] == [
            "op.create_rls_functions",
            "op.create_table",
            "op.create_index",
            *["op.grant_table"] * 3,
            "op.enable_rls",
            *["op.create_rls_policy"] * 6,
        ]
        # What goes with the table is not written.
        assert calls[middle:] == ["op.drop_index", "op.drop_table", "op.drop_rls_functions"]
        assert "rls_app_user" in revision
        assert project.deployment.roles.app not in revision

        alice, bob = two_users(project)
        project.by_hand(
            f"INSERT INTO task VALUES (gen_random_uuid(), 'a', '{alice}'),"
            f" (gen_random_uuid(), 'b', '{bob}')"
        )
        with project.as_user(alice) as connection:
            assert connection.execute("SELECT title FROM task").fetchall() == [("a",)]


def test_a_model_becomes_scoped_and_another_stops(opened: Open) -> None:
    with opened("scoping") as project:
        before, after = change(project).split("def downgrade")
        assert "op.disable_rls('note')" in before
        assert "op.drop_rls_policy('note_owner_select', 'note')" in before
        assert "op.enable_rls('tag')" in before
        assert "op.enable_rls('draft')" in before
        assert "op.enable_rls('note')" in after
        assert "op.disable_rls('tag')" in after


def test_a_model_is_renamed_and_another_dropped(opened: Open) -> None:
    """Autogenerate cannot know that a new table is an old one; what it writes is right, and harsh."""
    with opened("leaving") as project:
        revision = change(project)
        upgrade, downgrade = revision.split("def downgrade")
        assert "drop_rls_policy" not in upgrade
        assert "op.drop_table('task')" in upgrade
        assert "'draft_published'" in downgrade


def test_policies_of_ones_own_come_change_and_go(opened: Open) -> None:
    """P38; as SQL text and as SQLAlchemy expressions; permissive and restrictive."""
    with opened("own_policies") as project:
        upgrade = change(project).split("def downgrade")[0]
        assert "op.drop_rls_policy('page_published', 'page')" in upgrade
        assert "page_unlocked" not in upgrade
        assert "with_check=\"page.title LIKE '%_' AND page.title IS NOT NULL\"" in upgrade
        assert "using='NOT published',\n        permissive=False," in upgrade
        assert "'greeting_read'" in upgrade
        assert "greeting_owner" not in upgrade
        assert "op.enable_rls('greeting')" in upgrade


def test_an_owner_column_with_another_name(opened: Open) -> None:
    with opened("owner_column") as project:
        upgrade = change(project).split("def downgrade")[0]
        assert upgrade.index("drop_rls_policy('letter_owner_select'") < upgrade.index("drop_column")
        assert "using='author_id = (SELECT rls.user_id())'" in upgrade
        assert "using='sender_id = (SELECT rls.user_id())'" in upgrade


def test_a_table_in_another_schema(opened: Open) -> None:
    """The schema is made, and open to the roles; and closed to them once nothing is in it."""
    with opened("other_schema") as project:
        change(project)
        alice, bob = two_users(project)
        for user in (alice, bob):
            with project.as_user(user) as connection:
                connection.execute("INSERT INTO billing.invoice (owner_id) VALUES (%s)", [user])
                connection.commit()
        with project.as_user(bob) as connection:
            rows = connection.execute("SELECT number, owner_id FROM billing.invoice").fetchall()
            assert rows == [(2, bob)]

        project.use("before")
        upgrade = project.revise("gone").read_text(encoding="utf-8").split("def downgrade")[0]
        assert "op.drop_table('invoice', schema='billing')" in upgrade
        assert "op.revoke_schema('billing', role='rls_app_user')" in upgrade
        assert "drop_schema" not in upgrade
        project.there_and_back()


def test_names_that_are_sql_only_in_quotes(opened: Open) -> None:
    """P41"""
    with opened("odd_names") as project:
        change(project)
        alice, bob = two_users(project)
        for user in (alice, bob):
            with project.as_user(user) as connection:
                insert = 'INSERT INTO "Mixed ""Case"" %%s $$" ("select") VALUES (%s)'
                connection.execute(insert, [user])
                insert = 'INSERT INTO "Odd Schema"."order" ("Sold %%", "Owner ""id"" %%")'
                connection.execute(f"{insert} VALUES ('no', %s)", [user])
                connection.commit()
        with project.as_user(bob) as connection:
            for table in ('"Mixed ""Case"" %s $$"', '"Odd Schema"."order"'):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)]


@pytest.mark.parametrize(("project", "ids"), [("integer_ids", (1, 2)), ("text_ids", ("a", "b c"))])
def test_ids_of_other_types(opened: Open, project: str, ids: tuple[object, object]) -> None:
    """The application role may draw the numbers of SERIAL columns."""
    with opened(project) as mini:
        change(mini)
        with mini.deployment.database.as_owner() as owner:
            for user in ids:
                owner.exec_driver_sql('INSERT INTO "user" (id) VALUES (%s)', (user,))
        for user in ids:
            with mini.as_user(user) as connection:
                if project == "integer_ids":
                    connection.execute("INSERT INTO task (owner_id) VALUES (%s)", [user])
                else:
                    connection.execute("INSERT INTO task VALUES (%s, %s)", [f"of {user}", user])
                connection.commit()
        with mini.as_user(ids[1]) as connection:
            assert connection.execute("SELECT owner_id FROM task").fetchall() == [(ids[1],)]
