"""What a project's own `env.py` has given to `context.configure` goes on to hold."""

from typing import Any

import pytest
from sqlalchemy import MetaData, NullPool, create_engine

from hedgerow import ConfigurationError, RowSecurity, migrations
from tests.migrations.opening import PASSWORDS, Open

_OPTIONS = """
def says_who_wrote_it(context, revision, scripts):
    scripts[0].message = "written by the project"


OPTIONS = {
    "transaction_per_migration": True,
    "autogenerate_plugins": ["alembic.autogenerate.*", "~alembic.autogenerate.comments"],
    "process_revision_directives": says_who_wrote_it,
    "include_schemas": True,
    "include_name": lambda name, kind, parents: True,
    "dialect_opts": {"paramstyle": "named"},
    "render_as_batch": True,
}
"""


def test_options_of_the_project_come_beside_ours(opened: Open) -> None:
    """P36: what follows the last revision is committed as well, where each has a transaction."""
    with opened("leaving") as project:
        project.use("after")
        with (project.folder / "models.py").open("a", encoding="utf-8") as models:
            models.write(_OPTIONS)
        revision = project.revise("drop").read_text(encoding="utf-8")
        upgrade, downgrade = revision.split("def downgrade")
        assert "written by the project" in upgrade
        assert "op.drop_rls_policy(" not in upgrade  # they go with their table
        assert "op.create_rls_policy(" in downgrade
        project.alembic("upgrade", "head", RLS_FORCE="true")
        assert " FORCE ROW LEVEL SECURITY" in project.schema()
        project.alembic("check", RLS_FORCE="true")
        assert "BEGIN;" in project.alembic("upgrade", "head", "--sql")


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("sqlite://", {}, "cannot migrate with pysqlite: .* begins with postgresql\\+psycopg"),
        ("postgresql+psycopg://", {"connection": None}, "leave connection out"),
        ("postgresql+psycopg://", {"target_metadata": [MetaData()]}, "takes one MetaData"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, options: dict[str, Any], said: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    arguments = {"target_metadata": MetaData(), **options}
    with pytest.raises(ConfigurationError, match=said):
        migrations.run(engine, row_security=RowSecurity(), passwords=PASSWORDS, **arguments)
