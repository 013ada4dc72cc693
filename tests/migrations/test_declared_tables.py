"""Each declaration in a revision, and each change of one: there, back, and there again."""

from sqlalchemy import text

from tests.migrations.opening import Open, start
from tests.migrations.support import MiniProject

SHARED = 'Scope("owner_id", shared_with="item_share")'
TICKET_OF_ITEM = '    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))\n'
EVENT_AT = "    at: Mapped[datetime] = mapped_column(server_default=func.now())\n"
ITEM_TITLE = "    title: Mapped[str]\n"
TICKET = 'class Ticket(Base):\n    __tablename__ = "ticket"\n    __rls__ = '


def helpers(project: MiniProject) -> set[str]:
    """Return the functions in schema `rls` that belong to single tables."""
    query = (
        "SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace('rls')"
        " AND proname ~ '^(shares_of|key_of)_'"
    )
    with project.deployment.database.as_owner() as owner:
        return set(owner.scalars(text(query)))


def edit(project: MiniProject, *replacements: tuple[str, str]) -> tuple[str, str]:
    """Change the models, migrate there, back and there; return what the revision does each way."""
    project.edit(*replacements)
    revision = project.revise("change").read_text(encoding="utf-8")
    project.there_and_back()
    upgrade, downgrade = revision.split("def downgrade")
    return upgrade, downgrade


def remove(project: MiniProject, *names: str) -> None:
    """Remove the classes and tables of these names from the models."""
    models = project.folder / "models.py"
    parts = models.read_text(encoding="utf-8").split("\n\n\n")
    gone = tuple(start for name in names for start in (f"class {name}(", f"{name} = "))
    kept = [part for part in parts if not part.startswith(gone)]
    models.write_text("\n\n\n".join(kept) + "\n", encoding="utf-8")


def test_a_table_of_each_declaration(started: Open) -> None:
    """P40: literal; the functions that policies call come before them and go after them."""
    with started("declared") as project:
        project.use("models")
        revision = project.revise("models").read_text(encoding="utf-8")
        project.there_and_back()
        project.alembic("downgrade", "base")
        assert helpers(project) == set()
        project.alembic("upgrade", "head")
        assert helpers(project) == {
            "shares_of_item_keys",
            "key_of_item_owner_id_f5c01780_check",
            "key_of_ticket_item_id_c78ea070_check",
        }
        upgrade, downgrade = revision.split("def downgrade")
        assert upgrade.index("create_share_function") < upgrade.index("create_rls_policy")
        assert "op.grant_table('country', ['SELECT'], role='rls_app_user')" in upgrade
        assert "op.grant_table('item', ['UPDATE (title)'" not in upgrade
        assert "'DELETE', 'UPDATE (title)'], role='rls_app_user')" in upgrade
        # Only what cannot go with its table is taken away first.
        assert downgrade.index("'item_shared_select'") < downgrade.index("drop_share_function")
        assert "'event_owner_select'" not in downgrade


def test_shares_are_not_hidden_from_the_function_that_tells_of_them(started: Open) -> None:
    """Under FORCE too, where the owner, who is no superuser, is filtered."""
    with started("declared") as project:
        project.use("models")
        project.revise("models")
        project.alembic("upgrade", "head", RLS_FORCE="true")
        project.alembic("check", RLS_FORCE="true")
        assert "FORCE ROW LEVEL SECURITY" in project.schema()
        assert "public.item_share FORCE" not in project.schema()
        project.alembic("upgrade", "head")
        project.alembic("check")


def test_declarations_change(started: Open) -> None:
    """P61: each in one revision, whose downgrade brings back what stood before."""
    with started("declared") as project:
        start(project)

        through = 'Scope.through("item_id")'
        up, down = edit(project, (f'{TICKET}Scope("owner_id")', f"{TICKET}{through}"))
        assert "op.drop_rls_policy('ticket_owner_select', 'ticket')" in up
        assert "'ticket_parent_select'" in up
        assert "op.drop_reference_check('ticket', ['item_id']" in up
        assert "op.create_reference_check(\n        'ticket',\n        ['owner_id']" in up
        assert "'ticket_tag_parent_insert'" in up
        assert "'ticket_owner_select'" in down
        edit(project, (f"{TICKET}{through}", f'{TICKET}Scope("owner_id")'))

        up, down = edit(project, (SHARED, "Scope()"))
        assert up.index("'item_shared_update'") < up.index("op.drop_share_function(")
        assert "op.revoke_table('item', ['UPDATE (title)'], role='rls_app_user')" in up
        assert "op.create_share_function(" in down
        assert "shares_of_item_keys" not in helpers(project)
        up, _ = edit(project, ("= Scope()", f"= {SHARED}"))
        assert "op.revoke_table('item', ['UPDATE'], role='rls_app_user')" in up

        note = "    note: Mapped[str | None]\n"
        up, _ = edit(project, (ITEM_TITLE, ITEM_TITLE + note))
        assert "op.grant_table('item', ['UPDATE (note)'], role='rls_app_user')" in up
        up, _ = edit(project, (note, ""))
        assert up.index("op.revoke_table('item', ['UPDATE (note)']") < up.index("op.drop_column")

        # The function keeps the column that it reads from being dropped.
        edit(project, ("    can_write:", "    may_edit:"), (SHARED, SHARED[:-1] + ")"))


def test_keys_come_and_go(started: Open) -> None:
    """P51, P61."""
    with started("declared") as project:
        start(project)
        key = (
            "    item_id: Mapped[int | None] = mapped_column(\n"
            '        ForeignKey("item.id", name="event_item_id_fkey")\n    )\n'
        )
        up, down = edit(project, (EVENT_AT, EVENT_AT + key))
        assert up.index("op.create_foreign_key(") < up.index("op.create_reference_check(")
        assert down.index("op.drop_reference_check(") < down.index("op.drop_constraint(")
        assert "key_of_event_item_id_14b2c2ce_check" in helpers(project)
        edit(project, (key, ""))
        assert "key_of_event_item_id_14b2c2ce_check" not in helpers(project)

        unchecked = 'Scope("owner_id", unchecked={"item_id": "anybody may ask about an item"})'
        up, _ = edit(project, (f'{TICKET}Scope("owner_id")', TICKET + unchecked))
        assert "op.drop_reference_check('ticket', ['item_id']" in up
        assert "key_of_ticket_item_id_c78ea070_check" not in helpers(project)
        narrow = 'Scope("owner_id", commands={"SELECT", "INSERT", "DELETE"})'
        up, _ = edit(project, (TICKET + unchecked, TICKET + narrow))
        assert "op.revoke_table('ticket', ['UPDATE'], role='rls_app_user')" in up
        assert "op.drop_rls_policy('ticket_owner_update', 'ticket')" in up
        everyone = 'Scope("owner_id", read="everyone")'
        up, _ = edit(project, (TICKET + narrow, TICKET + everyone))
        assert "'ticket_everyone_select'" in up


def test_tables_go_with_all_that_hangs_on_them(started: Open) -> None:
    """P61: a policy or function that names a table keeps it from being dropped."""
    with started("declared") as project:
        named = 'policies=(Policy("of_event", "SELECT", using="id IN (SELECT id FROM event)"),)'
        project.use("models")
        project.edit(
            ('Scope(None, read="everyone")', f"Scope(None, {named})"),
            ("import Scope, declare", "import Policy, Scope, declare"),
        )
        project.revise("models")
        project.alembic("upgrade", "head")
        remove(project, "Item", "ItemShare", "Comment", "favourite", "Event", "Notice", "Country")
        up, down = edit(project, (TICKET_OF_ITEM, ""))
        assert helpers(project) == set()
        assert "op.drop_rls_policy('of_event', 'notice')" in up
        assert "op.drop_rls_policy('event_owner_select'" not in up
        assert "op.create_share_function(" in down
        assert "'event_owner_select'" in down


def test_tables_renamed_by_hand(started: Open) -> None:
    """As docs/how-to/migrations.md says: what was made from the old name comes anew, and goes."""
    with started("declared") as project:
        start(project)
        project.write_revision(
            "op.rename_table('ticket', 'task')\nop.rename_table('item_share', 'item_access')\n"
            "op.execute('ALTER INDEX ix_ticket_owner_id RENAME TO ix_task_owner_id')\n"
            "op.execute('ALTER SEQUENCE ticket_id_seq RENAME TO task_id_seq')",
            "op.execute('ALTER SEQUENCE task_id_seq RENAME TO ticket_id_seq')\n"
            "op.execute('ALTER INDEX ix_task_owner_id RENAME TO ix_ticket_owner_id')\n"
            "op.rename_table('item_access', 'item_share')\nop.rename_table('task', 'ticket')",
        )
        project.alembic("upgrade", "head")
        up, down = edit(
            project,
            ('__tablename__ = "ticket"', '__tablename__ = "task"'),
            ('ForeignKey("ticket.id")', 'ForeignKey("task.id")'),
            ('__tablename__ = "item_share"', '__tablename__ = "item_access"'),
            ('shared_with="item_share"', 'shared_with="item_access"'),
        )
        assert "create_table" not in up
        assert "function='key_of_ticket_item_id_c78ea070_check'" in up
        assert "function='key_of_ticket_item_id_c78ea070_check'" in down
        assert "share_function" not in up
        assert "key_of_task_item_id_5ed08deb_check" in helpers(project)
        assert "key_of_ticket_item_id_c78ea070_check" not in helpers(project)
        project.alembic("downgrade", "-2")
        project.alembic("upgrade", "head")
        project.alembic("check")
