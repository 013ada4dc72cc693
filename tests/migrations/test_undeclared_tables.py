"""A table that does not say whose rows it holds is refused; one that is not ours is left alone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.migrations.opening import Open, change, migrated_project
from tests.migrations.support import MiniProject

pytestmark = pytest.mark.xdist_group("migrations: undeclared tables")

EXEMPT = '__rls__ = hedgerow.exempt("why every user may read it")'
UNDECLARED = [
    (  # a child
        'class Reply(Base):\n    __tablename__ = "reply"\n'
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        '    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))\n',
        "Table 'reply' does not say whose rows it holds, so requests get no privilege on it: give"
        f' its class one of __rls__ = hedgerow.Scope.through("item_id"), or {EXEMPT}.',
    ),
    (  # a link, as SQLModel's tutorial writes it
        'class Link(Base):\n    __tablename__ = "link"\n'
        '    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)\n'
        '    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)\n',
        "Table 'link' does not say whose rows it holds, so requests get no privilege on it: give"
        ' its class one of __rls__ = hedgerow.Scope.through("item_id", "ticket_id"), or'
        f' __rls__ = hedgerow.Scope.through("item_id"), or {EXEMPT}.',
    ),
    (  # what users own
        'class Project(Base):\n    __tablename__ = "project"\n'
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        '    leader: Mapped[UUID] = mapped_column(ForeignKey("user.id"))\n',
        "Table 'project' does not say whose rows it holds, so requests get no privilege on it:"
        f' give its class one of __rls__ = hedgerow.Scope("leader"), or {EXEMPT}.',
    ),
    (  # reference data, without a class
        'label = Table("label", Base.metadata, Column("name", String, primary_key=True))\n',
        "Table 'label' does not say whose rows it holds, so requests get no privilege on it:",
    ),
]


@pytest.fixture(scope="module")
def project(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniProject]:
    """Yield a migrated project, for tests that leave its database as they find it."""
    with migrated_project(server, tmp_path_factory.mktemp("ours"), "declared", "models") as project:
        yield project


def add(project: MiniProject, source: str) -> None:
    """Add a class or table to the project's models."""
    models = project.folder / "models.py"
    text = models.read_text(encoding="utf-8").replace("Table, func", "String, Table, func")
    models.write_text(f"{text}\n\n{source}", encoding="utf-8")


def test_undeclared_tables_are_refused_by_name(project: MiniProject) -> None:
    """P50: one sentence a table, with the declarations that are likely for it."""
    project.use("models")
    for source, _ in UNDECLARED:
        add(project, source)
    known = project.revisions()
    for command in (("check",), ("revision", "--autogenerate", "-m", "undeclared")):
        line = project.refused(*command)
        assert [said for _, said in UNDECLARED if said not in line] == []
    assert project.revisions() == known
    # An upgrade is no moment to stop a deployment: the application's start does.
    project.alembic("upgrade", "head")


def test_an_open_table_is_narrowed_once_it_is_declared(opened: Open) -> None:
    """P50: what every table got before it had to say whose rows it holds."""
    with opened("scoping") as project:
        app = project.deployment.roles.app
        project.edit(
            ('    __rls__ = exempt("tags are everybody\'s", commands={"SELECT", "INSERT"})\n', "")
        )
        project.by_hand(f"GRANT UPDATE, DELETE ON tag TO {app}")
        assert "Table 'tag' does not say" in project.refused("check")
        project.alembic("upgrade", "head")
        assert "GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tag TO" in project.schema()
        tag = '    __tablename__ = "tag"\n'
        project.edit((tag, f'{tag}    __rls__ = exempt("tags are no secret")\n'))
        revision = project.revise("tags").read_text(encoding="utf-8")
        project.there_and_back()
        upgrade, _ = revision.split("def downgrade")
        assert (
            "op.revoke_table('tag', ['DELETE', 'INSERT', 'UPDATE'], role='rls_app_user')" in upgrade
        )
        with project.as_user(app) as connection:
            assert connection.execute(
                "SELECT has_table_privilege('tag', 'SELECT'), has_table_privilege('tag', 'INSERT')"
            ).fetchone() == (True, False)


FILTERS = {
    "include_object": (
        "OPTIONS = dict(include_object=lambda object, name, kind, reflected, other: kind != 'table'"
        " or name not in ('queue', 'reply', 'item', 'item_share'))"
    ),
    "include_name": (
        "OPTIONS = dict(include_name=lambda name, kind, parents:"
        " kind != 'table' or name != 'queue')"
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_tables_that_are_not_ours_are_left_alone(project: MiniProject, name: str) -> None:
    """P62: neither granted, revoked, declared nor dropped."""
    app = project.deployment.roles.app
    project.use("models")
    project.by_hand("CREATE TABLE queue (id int)", f"GRANT SELECT, TRUNCATE ON queue TO {app}")
    try:
        assert "('remove_table'" in project.differences()
        add(project, FILTERS[name])
        project.alembic("check")
        if name == "include_object":  # the other does not speak of models
            add(project, UNDECLARED[0][0])
            project.alembic("check")
        # All schemas that are ours, however that is said.
        add(project, "OPTIONS['include_schemas'] = True")
        project.alembic("check")
    finally:
        project.by_hand("DROP TABLE queue")


def test_the_drop_of_a_model_brings_back_all_of_it(opened: Open) -> None:
    with opened("leaving") as project:
        _, downgrade = change(project, "after").split("def downgrade")
        assert downgrade.count("op.grant_table('draft', [") == 3
        assert "op.enable_rls('draft')" in downgrade
