"""`alembic upgrade head --sql`: a script that an administrator runs as it is."""

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import URL

from hedgerow.embedded import binary
from tests.migrations.opening import new_project
from tests.support.databases import clean_environment, create_empty, drop
from tests.support.processes import output_of


def run_psql(url: URL, script: Path) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    output_of(
        [binary("psql"), "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={script}", address],
        environment=clean_environment(),
    )


@pytest.mark.parametrize("name", ["odd_names", "declared"])
def test_the_script_does_what_the_command_does(server: URL, tmp_path: Path, name: str) -> None:
    """P41: with names that are SQL only in quotes; no database and no role is there before."""
    with new_project(server, tmp_path, name) as project:
        project.use("models")
        project.revise("models")
        script = tmp_path / "upgrade.sql"
        script.write_text(project.alembic("upgrade", "head", "--sql"), encoding="utf-8")

        other = create_empty(server)
        try:
            run_psql(project.owner.set(database=other.name), script)
            by_script = dataclasses.replace(project, owner=project.owner.set(database=other.name))
            by_script.alembic("check")
            project.alembic("upgrade", "head")
            assert by_script.schema() == project.schema()
        finally:
            drop(other)
