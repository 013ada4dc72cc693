"""Stages for faults: a copy of the migrated database, or a deployment with roles of its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.hedgerow.checks.fault import Fault
from tests.hedgerow.checks.faults import SECRET
from tests.hedgerow.checks.stage import Stage
from tests.hedgerow.signing.support import demand
from tests.support.databases import clone_template, drop
from tests.support.deployments import deployment, unique_role_names


@pytest.fixture
def stage(request: pytest.FixtureRequest, server: URL) -> Iterator[Stage]:
    """Yield a good database for the fault that is the parameter, or for no particular one."""
    fault: Fault | None = getattr(request, "param", None)
    if fault is not None and fault.own_roles:
        with deployment(server, unique_role_names()) as own:
            own.upgrade()
            yield Stage(own.database, own.roles, own.settings())
        return
    stage = Stage(clone_template(server))
    if fault is not None and fault.signed:
        stage.settings["RLS_CONTEXT_SECRET"] = SECRET
        demand(stage.database, stage.row_security)
    yield stage
    drop(stage.database)
