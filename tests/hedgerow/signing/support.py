"""What tests of signed identities share: a database that demands them, sessions that sign."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, Role, RowSecurity, Signing
from hedgerow.provisioning.keys import reconcile_functions
from tests.support.databases import Database
from tests.support.elevation import record_elevation
from tests.support.people import Person
from tests.support.raw import RawConnection
from tests.support.sessions import ROW_SECURITY

PLAIN = ROW_SECURITY
SIGNING = Signing("the secret of the tests of signing")
SIGNED = replace(PLAIN, signing=SIGNING)


def demand(database: Database, row_security: RowSecurity) -> None:
    """Bring the database to `row_security` as a migration does."""
    with database.as_owner() as owner:
        reconcile_functions(owner, row_security, may_stop_signing=True)


def signed_session(engine: Engine, person: Person, role: Role = Role.USER) -> Session:
    """Return a session that is bound to `person` and signs for them."""
    return session_with(engine, person, SIGNED, role)


def session_with(
    engine: Engine, person: Person, row_security: RowSecurity, role: Role = Role.USER
) -> Session:
    """Return a session that is bound to `person` in the way of `row_security`."""
    session = Session(engine, expire_on_commit=False)
    hedgerow.bind(session, Identity(person.id, role), row_security)
    return session


def signature(
    user: object,
    role: str,
    *,
    secret: str = SIGNING.secret,
    age: float = 0,
    tenant: str = "",
    claims: str = "",
) -> str:
    """Return a signature made `age` seconds ago, by the specification and not by the engine."""
    issued = f"{time.time() - age:.3f}"
    message = message_of(role, issued, str(user), tenant, claims)
    return f"{issued} {hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}"


def message_of(role: str, issued: str, user: str, tenant: str = "", claims: str = "") -> bytes:
    """Return what is signed, by the specification."""
    if not tenant and not claims:
        return f"{role} {issued} {user}".encode()
    lengths = f"{len(tenant.encode())} {len(claims.encode())}"
    return f"{role}+ {issued} {lengths} {tenant}{claims}{user}".encode()


def claim(
    connection: RawConnection,
    user: object,
    role: str,
    signature: str,
    *,
    tenant: str = "",
    claims: str = "",
) -> None:
    """Set an identity for the transaction; whether the database accepts it is another question."""
    settings = {"app.user_id": str(user), "app.role": role, "app.signature": signature}
    apply(connection, {**settings, "app.tenant_id": tenant, "app.claims": claims})


def believed(
    connection: RawConnection,
    user: str,
    role: str,
    signature: str,
    *,
    tenant: str = "",
    claims: str = "",
) -> object:
    """Return whom the database takes the claim for, or the SQLSTATE with which it refuses."""
    try:
        with connection.transaction(force_rollback=True):
            claim(connection, user, role, signature, tenant=tenant, claims=claims)
            return connection.execute("SELECT rls.identity_name(), rls.role()").fetchone()
    except psycopg.Error as error:
        return error.sqlstate


def sign_in(connection: RawConnection, person: Person, role: Role = Role.USER) -> None:
    """Make the raw connection's transaction the person's, signed by the engine."""
    identity = Identity(person.id, role)
    settings = SIGNED.settings_for(identity)
    elevation = record_elevation(connection, settings) if identity.is_elevated else None
    apply(connection, SIGNED.settings_for(identity, elevation))


def apply(connection: RawConnection, settings: Mapping[str, str]) -> None:
    """Make `settings` for the transaction that the connection is in."""
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])


def run_injected(session: Session, statements: str) -> tuple[set[UUID], str | None]:
    """Run SQL that an attacker wrote in the session's transaction, as one string.

    Return the UUIDs in all rows that came back, and the SQLSTATE where it failed.
    """
    found: set[UUID] = set()
    with closing(session.connection().connection.cursor()) as cursor:
        try:
            cursor.execute(statements)
            more: bool | None = True
            while more:
                rows = cursor.fetchall() if cursor.description else []
                found |= {value for row in rows for value in row if isinstance(value, UUID)}
                more = cursor.nextset()
        except psycopg.Error as error:
            return found, error.sqlstate
    return found, None
