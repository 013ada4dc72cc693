"""Whether a database would keep users apart, asked as the application role before it serves."""

from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import DBAPIError, OperationalError

from hedgerow import sql
from hedgerow.errors import EXPIRED_SIGNATURE, INVALID_SIGNATURE, DatabaseNotReadyError
from hedgerow.explain import explain_connection_failure
from hedgerow.identity import Identity
from hedgerow.reconcile import read_state
from hedgerow.row_security import RowSecurity
from hedgerow.scope import scoped_tables
from hedgerow.wire import set_locally

_MIGRATE = "run `alembic upgrade head`"


def verify(engine: Engine, metadata: MetaData, row_security: RowSecurity) -> None:
    """Return if row security holds for `engine`'s login; `engine` is the application's own.

    Raises DatabaseNotReadyError, whose message says what is wrong and the command that mends it.
    """
    try:
        with engine.connect() as connection:
            faults = _role_faults(connection, row_security)
            faults += _table_faults(connection, metadata, row_security)
            if row_security.enabled and not faults:
                faults += _identity_faults(connection, row_security)
    except OperationalError as error:
        cure = f"Check RLS_APP_PASSWORD; if it is a new database or a changed password, {_MIGRATE}."
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, cure)) from None
    if faults:
        raise DatabaseNotReadyError(" ".join(faults))


def _role_faults(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Find what would let the login go round the policies (P1) or inherit an admin's (P2)."""
    role = connection.execute(
        text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user")
    ).one()
    faults = []
    if role.rolsuper or role.rolbypassrls:
        power = "a superuser" if role.rolsuper else "a role with BYPASSRLS"
        faults.append(
            f"The application connects as {role.rolname!r}, {power}, to whom no policy applies:"
            f" connect as {row_security.roles.app!r} (RLS_APP_USER)."
        )
        return faults
    inherited = connection.scalars(
        text(
            "SELECT rolname FROM pg_roles WHERE rolname <> session_user"
            " AND rolname = ANY(:admins) AND pg_has_role(session_user, oid, 'USAGE')"
        ),
        {"admins": [row_security.roles.admin, row_security.roles.read_only_admin]},
    ).all()
    faults.extend(
        f"{role.rolname!r} inherits {name!r}, so every request would see every row: {_MIGRATE}."
        for name in inherited
    )
    return faults


def _table_faults(
    connection: Connection, metadata: MetaData, row_security: RowSecurity
) -> list[str]:
    faults = []
    for table, _ in scoped_tables(metadata):
        state = read_state(connection, table.name, table.schema)
        if state is None:
            faults.append(f"Table {table.fullname!r} is missing: {_MIGRATE}.")
            continue
        if state.enabled is not row_security.enabled or state.forced is not row_security.force:
            faults.append(
                f"Row security of table {table.fullname!r} is not what RLS_ENABLED and RLS_FORCE"
                f" say: {_MIGRATE}."
            )
        if state.policies == 0:
            faults.append(f"Table {table.fullname!r} has no policy: {_MIGRATE}.")
        if connection.scalar(
            text(
                "SELECT pg_has_role(session_user, relowner, 'USAGE')"
                " FROM pg_class WHERE oid = to_regclass(:table)"
            ),
            {"table": sql.table_name(table.name, table.schema)},
        ):
            faults.append(
                f"The application's role owns table {table.fullname!r} and so goes round its"
                f" policies: give it to the owner with ALTER TABLE ... OWNER TO."
            )
    return faults


def _identity_faults(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Try an identity, to learn whether application and database agree on how it is signed."""
    verifies = connection.scalar(
        text("SELECT to_regprocedure('rls.verify_identity()') IS NOT NULL")
    )
    if verifies is not (row_security.signing is not None):
        who_signs = "database expects" if verifies else "application makes"
        return [
            f"Only the {who_signs} signed identities: set RLS_CONTEXT_SECRET to what the database"
            f" was migrated with, or {_MIGRATE}."
        ]
    faults = _key_faults(connection)
    connection.rollback()
    try:
        with connection.begin():
            set_locally(connection, row_security.settings_for(Identity("start-up check")))
            connection.execute(text("SELECT rls.role()"))
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == INVALID_SIGNATURE:
            return [f"RLS_CONTEXT_SECRET is not the database's: {_MIGRATE}."]
        if state == EXPIRED_SIGNATURE:
            return [
                "The clocks of application and database differ by more than"
                " RLS_CONTEXT_MAX_AGE_SECONDS: set them right."
            ]
        raise
    return faults


def _key_faults(connection: Connection) -> list[str]:
    """Find roles within the login's reach that may read a signing key, or put in their own.

    Default privileges of the schema's owner, or a grant on all tables, would do it silently.
    """
    roles = connection.scalars(
        text(
            "SELECT rolname FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')"
            " AND has_any_column_privilege(oid, to_regclass('rls.signing_key')::oid,"
            " 'SELECT, INSERT, UPDATE') ORDER BY rolname"
        )
    )
    return [
        f"{name!r} has privileges on the table rls.signing_key, so injected SQL could sign any"
        f" identity: run `REVOKE ALL ON rls.signing_key FROM {sql.name(name)}` as the owner."
        for name in roles
    ]
