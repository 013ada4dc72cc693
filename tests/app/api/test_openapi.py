"""Requests generated from the OpenAPI document, and whether the answers are what it promises."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from app.main import app as application
from tests.app.api.support import signed_in
from tests.app.both_modes import only_with_row_security
from tests.support.people import Person

CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
"""An answer of 500 needs no check: its cause is raised here."""


schema = schemathesis.openapi.from_dict(application.openapi())
schema.app = application


@pytest.fixture(scope="module")
def served(engine: Engine) -> Iterator[None]:
    """Let schemathesis start and stop the application, in the event loop where it asks."""
    with pytest.MonkeyPatch.context() as patch:
        # A tenth of the time of each request goes into reading the environment for a proxy's name.
        patch.setattr("requests.sessions.get_environ_proxies", lambda *_, **__: {})
        yield
        asgi.shutdown_lifespans()


@schema.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@only_with_row_security
@pytest.mark.parametrize("asker", ["alice", "admin"])
def test_every_answer_is_as_documented(
    case: schemathesis.Case[Any],
    served: None,
    every_connection_returned: None,
    alice: Person,
    bob: Person,
    admin: Person,
    asker: str,
) -> None:
    headers = signed_in(admin if asker == "admin" else alice)
    response = case.call_and_validate(checks=CHECKS, headers=headers)
    if response.status_code == 404:
        # Generated ids name no row: ask the same of rows that are there, until one is deleted.
        existing = {"id": alice.items[0], "user_id": bob.id, "owner_id": bob.id}
        for parameters in (case.path_parameters, case.query):
            for name in parameters.keys() & existing.keys():
                parameters[name] = str(existing[name])
        case.call_and_validate(checks=CHECKS, headers=headers)
