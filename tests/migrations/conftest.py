"""Mini-projects for the tests of what autogenerate writes."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.migrations.opening import Open, migrated_project, new_project


@pytest.fixture
def opened(server: URL, tmp_path: Path) -> Open:
    """Return what opens a project whose models change from before to after."""
    return lambda name: migrated_project(server, tmp_path, name)


@pytest.fixture
def started(server: URL, tmp_path: Path) -> Open:
    """Return what opens a project that has models but no revision yet."""
    return lambda name: new_project(server, tmp_path, name)
