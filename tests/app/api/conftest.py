"""Every test of the API runs with row security on, and with it off."""

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from tests.app.both_modes import database, disabled_database, row_security

__all__ = ["database", "disabled_database", "row_security"]


@pytest.fixture
def test_app(engine: Engine, every_connection_returned: None) -> FastAPI:
    """Return an application of its own, for a test to add routes to."""
    from app.main import create_app

    return create_app()
