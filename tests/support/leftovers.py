"""What one SELECT of an attacker's leaves on a connection, and what the next transaction finds."""

from typing import Final

import pytest
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.support.people import Person
from tests.support.sessions import visible

NOBODY: Final = "would be affected by row-level security"
"""What PostgreSQL says to a guarded session that is bound to nobody, of a scoped table."""

LEFT: Final = {
    "search_path": "nowhere",
    "row_security": "off",
    "DateStyle": "German, DMY",
    "TimeZone": "Asia/Tokyo",
    "client_encoding": "LATIN1",
    "transform_null_equals": "on",
    "log_parameter_max_length_on_error": "-1",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "app.tenant": "theirs",
    "role": "rls_read_only_admin",
}
"""Settings that each make the next user's statements mean, tell or do something else."""

IDENTITY: Final = ("app.user_id", "app.role", "app.tenant_id", "app.claims", "app.signature")

_BACKEND: Final = select(func.pg_backend_pid())


def _setting(name: str) -> ColumnElement[str]:
    """Return what a setting is, in a statement; one that nobody has made is empty."""
    return func.coalesce(func.current_setting(name, True), "")


_FOUND: Final = (*LEFT, "transaction_isolation", "transaction_read_only", "transaction_deferrable")
_LEAVE = {name: _setting(name) for name in IDENTITY} | LEFT
INJECTED: Final = select(*(func.set_config(name, value, False) for name, value in _LEAVE.items()))
"""Leaves them all, and the identity that it runs as: one statement, nothing but a SELECT."""


def leave(session: Session) -> None:
    """Run the attacker's SELECT in a transaction that commits."""
    session.execute(INJECTED)
    session.commit()


def found(session: Session) -> dict[str, str]:
    """Return the settings that a transaction runs with; its identity is not among them."""
    row = session.execute(select(*map(_setting, _FOUND))).one()
    return dict(zip(_FOUND, row, strict=True))


def assert_nobody(session: Session) -> None:
    with pytest.raises(DBAPIError, match=NOBODY):
        visible(session)
    session.rollback()


def attack_and_look(attacker: Session, next_user: Session, nobody: Session, person: Person) -> None:
    """Leave everything on the connection, before each look of the next user and of nobody."""
    clean = {}
    for session in (next_user, nobody):
        clean[session] = found(session)
        session.commit()
    backend = attacker.scalar(_BACKEND)
    for end in (Session.commit, Session.rollback):
        for session in (next_user, nobody):
            leave(attacker)
            assert session.scalar(_BACKEND) == backend
            assert found(session) == clean[session]
            end(session)
            assert found(session) == clean[session]
            end(session)
        assert visible(next_user) == set(person.items)
        end(next_user)
        leave(attacker)
        assert_nobody(nobody)
