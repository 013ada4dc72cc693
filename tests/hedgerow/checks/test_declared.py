"""The checks know every declaration: silent where it is kept, and not where it is not."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE
from hedgerow.checks import CHECKS
from tests.hedgerow.checks.stage import Stage
from tests.support import declared
from tests.support.databases import clone, clone_template, drop, server_version

CHECK = {check.number: check for check in CHECKS}
NEWEST = 180007


@pytest.fixture(scope="module")
def model(server: URL) -> Iterator[Stage]:
    """Yield a database with one table of each declaration, which each test copies."""
    database = clone_template(server)
    declared.declare_in(database)
    yield Stage(database, metadata=declared.METADATA, server_version=NEWEST)
    drop(database)


@pytest.fixture
def stage(model: Stage) -> Iterator[Stage]:
    own = Stage(clone(model.database), metadata=model.metadata, server_version=NEWEST)
    yield own
    drop(own.database)


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
def test_a_database_of_every_declaration_is_good(stage: Stage, filled: bool) -> None:
    if filled:
        declared.fill(stage.database)
    records_logins = server_version(stage.database.owner_url) >= LOGIN_TRIGGERS_SINCE
    checks = [check for check in CHECKS if records_logins or check.number != "H127"]
    answers = stage.answers(*checks)
    assert [(a.check.number, a.findings, a.undetermined) for a in answers] == [
        (check.number, (), None) for check in checks
    ]
