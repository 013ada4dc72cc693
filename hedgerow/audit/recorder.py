"""Record an elevation, before its first statement and whatever becomes of its transaction."""

import os
from dataclasses import replace
from typing import cast

from sqlalchemy import Connection, Engine, event, func, select

from hedgerow.config.identity import CONTEXT_SETTINGS, Identity
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import IdentityError
from hedgerow.sql import set_config_calls


def record_elevation(
    connection: Connection, identity: Identity, row_security: RowSecurity
) -> str | None:
    """Commit a record of `identity`'s elevation, and return its number in the audit trail.

    It is written on a connection of its own, from a pool beside that of `connection`'s engine, so
    that it stays when the admin's transaction is rolled back. One statement, one commit. Returns
    None for an ordinary user, and where there is no audit trail.

    Raises IdentityError where a reason is required and none is given; a SQLAlchemy DBAPIError where
    the database refuses, a replica for one: an admin who cannot be recorded is none.
    """
    if not identity.is_elevated or not row_security.audited:
        return None
    reason = (identity.viewed_by or identity).reason
    audit = row_security.audit
    if audit is not None and audit.reason_required and not (reason or "").strip():
        raise IdentityError(
            "This project requires a reason for each elevation: give a reason, with the header"
            " X-Admin-Reason in a request, or reason=... in code."
        )
    subject = None
    if identity.viewed_by is not None:
        subject = str(identity.user_id)
        identity = replace(identity.viewed_by, tenant_id=identity.tenant_id)
    origin = identity.origin
    told = (origin.method, origin.path, origin.request_id) if origin else (None, None, None)
    # Not the database role: the functions are granted to the login. The tenant and the claims also
    # where there are none: through a pooler the channel's connection may hold another's.
    settings = dict.fromkeys(CONTEXT_SETTINGS, "") | {
        name: value
        for name, value in row_security.settings_for(identity).items()
        if name.startswith("app.")
    }
    elevation = func.rls.record_elevation(*map(_storable, (reason, *told)), subject)
    with _channel(connection.engine).connect() as channel:
        row = channel.execute(select(*set_config_calls(settings), elevation)).one()
    return str(row[-1])


def _storable(told: str | None) -> str | None:
    """Return what a client said in characters that PostgreSQL has, so that it can be recorded."""
    if told is None:
        return None
    return told.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _channel(engine: Engine) -> Engine:
    """Return the engine whose pool is for this alone; it is disposed of with the other.

    It is kept on the dialect, which one `create_engine()` makes one of, whatever options its engine
    is given later; a table of our own would keep both alive for ever.
    """
    known, key = vars(engine.dialect), _key()
    if key not in known:
        channel = Engine(engine.pool.recreate(), engine.dialect, engine.url, hide_parameters=True)
        # setdefault() because of threads: the pool of the one that comes second is empty yet.
        known.setdefault(key, channel.execution_options(isolation_level="AUTOCOMMIT"))
    return cast(Engine, known[key])


@event.listens_for(Engine, "engine_disposed")
def _dispose(engine: Engine) -> None:
    channel = vars(engine.dialect).pop(_key(), None)
    if channel is not None:
        channel.dispose()


def _key() -> str:
    """Name the channel of this process: one that a fork copied is its parent's, still in use."""
    return f"hedgerow_audit_channel_{os.getpid()}"
