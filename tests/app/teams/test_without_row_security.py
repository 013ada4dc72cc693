"""Where PostgreSQL keeps nobody apart, there are no teams."""

import os
import subprocess
import sys

from tests.support.databases import PROJECT


def test_the_application_does_not_start_with_teams_and_without_row_security() -> None:
    """Its routes leave to PostgreSQL what a member may, so without it everybody may all."""
    started = subprocess.run(
        [sys.executable, "-c", "import app.teams.models, app.main"],
        cwd=PROJECT,
        env=os.environ | {"RLS_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert "ConfigurationError: RLS_ENABLED=false, and teams are kept apart" in started.stderr
