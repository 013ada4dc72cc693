"""What autogenerate writes as models change: each change there, back, and there again."""

from tests.migrations.opening import Open, change, start, two_users

RENAME = (
    """op.rename_table("task", "todo")
op.execute("ALTER INDEX ix_task_owner_id RENAME TO ix_todo_owner_id")""",
    """op.rename_table("todo", "task")
op.execute("ALTER INDEX ix_todo_owner_id RENAME TO ix_task_owner_id")""",
)


def test_a_new_scoped_model(started: Open) -> None:
    """P40: one revision, literal, in an order that reads well and goes both ways."""
    with started("new_model") as project:
        revision = start(project)
        calls = [
            line.strip().split("(")[0]
            for line in revision.splitlines()
            if line.startswith("    op")
        ]
        middle = calls.index("op.drop_index")
        assert calls[:middle] == [
            "op.create_rls_functions",
            "op.create_table",
            "op.create_table",
            "op.create_index",
            *["op.grant_table"] * 3,
            "op.enable_rls",
            *["op.create_rls_policy"] * 6,
            *["op.grant_table"] * 3,
        ]
        # What goes with the table is not written.
        assert calls[middle:] == [
            "op.drop_index",
            "op.drop_table",
            "op.drop_table",
            "op.drop_rls_functions",
        ]
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
        before, after = change(project, "after").split("def downgrade")
        assert "op.disable_rls('note')" in before
        assert "op.drop_rls_policy('note_owner_select', 'note')" in before
        assert "op.enable_rls('tag')" in before
        assert "op.enable_rls('draft')" in before
        assert "op.enable_rls('note')" in after
        assert "op.disable_rls('tag')" in after


def test_a_model_is_renamed_and_another_dropped(opened: Open) -> None:
    """Autogenerate cannot know that a new table is an old one; what it writes keeps no rows."""
    with opened("leaving") as project:
        revision = change(project, "after")
        upgrade, downgrade = revision.split("def downgrade")
        assert "drop_rls_policy" not in upgrade
        assert "op.drop_table('task')" in upgrade
        assert "'draft_published'" in downgrade


def test_policies_of_ones_own_come_change_and_go(opened: Open) -> None:
    """P38; as SQL text and as SQLAlchemy expressions; permissive and restrictive."""
    with opened("own_policies") as project:
        upgrade = change(project, "after").split("def downgrade")[0]
        assert "op.drop_rls_policy('page_published', 'page')" in upgrade
        assert "page_unlocked" not in upgrade
        assert "with_check=\"page.title LIKE '%_' AND page.title IS NOT NULL\"" in upgrade
        assert "using='NOT published',\n        permissive=False," in upgrade
        assert "'greeting_read'" in upgrade
        assert "greeting_owner" not in upgrade
        assert "op.enable_rls('greeting')" in upgrade


def test_an_owner_column_with_another_name(opened: Open) -> None:
    with opened("owner_column") as project:
        upgrade = change(project, "after").split("def downgrade")[0]
        assert upgrade.index("drop_rls_policy('letter_owner_select'") < upgrade.index("drop_column")
        assert "using='author_id = (SELECT rls.user_id())'" in upgrade
        assert "using='sender_id = (SELECT rls.user_id())'" in upgrade


def test_a_table_in_another_schema(started: Open) -> None:
    """The schema is made, and open to the roles; and closed to them once nothing is in it."""
    with started("other_schema") as project:
        start(project, "with_invoices")
        alice, bob = two_users(project)
        for user in (alice, bob):
            with project.as_user(user) as connection:
                connection.execute("INSERT INTO billing.invoice (owner_id) VALUES (%s)", [user])
                connection.commit()
        with project.as_user(bob) as connection:
            rows = connection.execute("SELECT number, owner_id FROM billing.invoice").fetchall()
            assert rows == [(2, bob)]

        upgrade = change(project, "without").split("def downgrade")[0]
        assert "op.drop_table('invoice', schema='billing')" in upgrade
        assert "op.revoke_schema('billing', role='rls_app_user')" in upgrade
        assert "drop_schema" not in upgrade


def test_a_table_renamed_by_hand_keeps_its_rows_and_its_policies(opened: Open) -> None:
    """As docs/how-to/migrations.md says; the new names of the policies come with autogenerate."""
    with opened("leaving") as project:
        alice, bob = two_users(project)
        insert = "INSERT INTO task (title, owner_id) VALUES"
        project.by_hand(f"{insert} ('a', '{alice}'), ('b', '{bob}')")
        project.write_revision(*RENAME)
        project.use("after")
        project.alembic("upgrade", "head")
        with project.as_user(alice) as connection:
            assert connection.execute("SELECT title FROM todo").fetchall() == [("a",)]
        upgrade = change(project, "after").split("def downgrade")[0]
        assert "op.drop_rls_policy('task_owner_select', 'todo')" in upgrade
        assert "create_table('todo'" not in upgrade
        with project.as_user(alice) as connection:
            assert connection.execute("SELECT title FROM todo").fetchall() == [("a",)]
