"""Bring functions and signing keys of a migrated database to what the configuration says."""

import logging

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.config.row_security import RowSecurity
from hedgerow.config.signing import Signing
from hedgerow.errors import ProvisioningError
from hedgerow.provisioning import functions

logger = logging.getLogger("hedgerow.keys")


def reconcile_functions(
    connection: Connection, row_security: RowSecurity, *, may_stop_signing: bool = False
) -> None:
    """Define the functions for plain or signed identities, and store the key for signed ones.

    Does nothing where schema `rls` does not exist (yet, or any more). Raises ProvisioningError
    where the database has keys but no secret is configured, unless signing is to end: a forgotten
    variable must not make it accept every identity.
    """
    if not functions.exist(connection):
        return
    signing = row_security.signing
    if signing is None:
        if connection.execute(text("DELETE FROM rls.signing_key")).rowcount:
            if not may_stop_signing:
                raise ProvisioningError(
                    "The database accepts only signed identities, but RLS_CONTEXT_SECRET is not"
                    " set: set it, or end signing with `alembic -x signing=off upgrade head`."
                )
            logger.warning(
                "Signing is off: the database now accepts identities without a signature."
            )
    else:
        _store_key(connection, signing)
    for statement in functions.definitions_for(connection, row_security):
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
            # Never later than promised before: least() passes over NULL.
            "UPDATE rls.signing_key SET retires_at = least(retires_at, now() + :rotation)"
            " WHERE inner_pad <> :inner"
        ),
        {"inner": inner, "rotation": signing.rotation},
    )
    connection.execute(text("DELETE FROM rls.signing_key WHERE retires_at <= now()"))
