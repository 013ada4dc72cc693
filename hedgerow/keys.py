"""Bring functions and signing keys of a migrated database to what the configuration says."""

import logging

from sqlalchemy import Connection, text

from hedgerow import functions, sql
from hedgerow.row_security import RowSecurity
from hedgerow.signing import Signing

logger = logging.getLogger("hedgerow.keys")


def reconcile_functions(connection: Connection, row_security: RowSecurity) -> None:
    """Define the functions for plain or signed identities, and store the key for signed ones.

    Does nothing where schema `rls` does not exist (yet, or any more).
    """
    if not functions.exist(connection):
        return
    signing = row_security.signing
    if signing is None:
        removed = connection.execute(text("DELETE FROM rls.signing_key")).rowcount
        if removed:
            logger.warning("Signing is off: the database now believes identities as they are.")
    else:
        _store_key(connection, signing)
    for statement in functions.define_statements(row_security.id_type, signed=signing is not None):
        connection.execute(sql.Statement(statement))


def _store_key(connection: Connection, signing: Signing) -> None:
    """Accept signatures with the present secret, and with former ones until they retire."""
    inner, outer = signing.pads()
    connection.execute(
        text(
            "INSERT INTO rls.signing_key (inner_pad, outer_pad, max_age)"
            " VALUES (:inner, :outer, :max_age)"
            " ON CONFLICT (inner_pad) DO UPDATE"
            " SET max_age = excluded.max_age, retires_at = NULL"
        ),
        {"inner": inner, "outer": outer, "max_age": signing.max_age},
    )
    connection.execute(
        text(
            "UPDATE rls.signing_key SET retires_at = now() + :rotation"
            " WHERE inner_pad <> :inner AND retires_at IS NULL"
        ),
        {"inner": inner, "rotation": signing.rotation},
    )
    connection.execute(text("DELETE FROM rls.signing_key WHERE retires_at <= now()"))
