"""crud is tested with row security on, and with it off: it checks ownership by itself."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

import hedgerow
from hedgerow import Identity, Role, RowSecurity
from tests.app.both_modes import database, disabled_database, row_security
from tests.support.people import Person

__all__ = ["database", "disabled_database", "row_security"]


@pytest.fixture
def session(
    engine: Engine, every_connection_returned: None, row_security: RowSecurity, alice: Person
) -> Iterator[Session]:
    """Yield a session of alice's."""
    from app.core.db import new_session

    with new_session() as session:
        hedgerow.bind(session, Identity(alice.id), row_security)
        yield session


@pytest.fixture
def anonymous(engine: Engine, every_connection_returned: None) -> Iterator[Session]:
    """Yield a session without an identity, as signing in and signing up have it."""
    from app.core.db import new_session

    with new_session() as session:
        yield session


@pytest.fixture
def as_admin(
    engine: Engine, every_connection_returned: None, row_security: RowSecurity, admin: Person
) -> Iterator[Session]:
    """Yield a session in which the superuser acts as an admin."""
    from app.core.db import new_session

    with new_session() as session:
        hedgerow.bind(session, Identity(admin.id, Role.ADMIN), row_security)
        yield session
