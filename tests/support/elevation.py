"""An elevation recorded by hand, as the engine does it: in a transaction that commits first."""

from collections.abc import Mapping

import psycopg

RECORD = "SELECT rls.record_elevation(%s, %s, %s, %s, %s)"


def record_elevation(
    beside: psycopg.Connection[tuple[object, ...]],
    settings: Mapping[str, str],
    reason: str | None = "by hand",
    subject: str | None = None,
) -> str:
    """Record an elevation on another connection of the same login; return its number.

    `settings` are those that carry the identity; the database role does not matter here.
    """
    info = beside.info
    with psycopg.connect(info.dsn, password=info.password) as other:
        for name, value in settings.items():
            if name.startswith("app."):
                other.execute("SELECT set_config(%s, %s, true)", [name, value])
        row = other.execute(RECORD, [reason, "GET", "/by/hand", "request-1", subject]).fetchone()
    assert row is not None
    return str(row[0])
