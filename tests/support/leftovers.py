"""What one SELECT of an attacker's leaves on a connection, and what the next transaction finds."""

from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

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

IDENTITY: Final = ("app.user_id", "app.role", "app.signature")


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
