"""Schema `rls`: the functions through which policies ask who the transaction is."""

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.errors import EXPIRED_SIGNATURE, INVALID_SIGNATURE, MISSING_IDENTITY
from hedgerow.identity import ROLE_SETTING, SIGNATURE_SETTING, USER_ID_SETTING
from hedgerow.row_security import IdType

SCHEMA = "rls"

_MISSING = f"""RAISE EXCEPTION USING
        ERRCODE = '{MISSING_IDENTITY}',
        MESSAGE = 'row security: this transaction carries no identity',
        HINT = 'Bind an identity to the session before you use it: RLSSessionDep in a route,'
            ' hedgerow.bind(session, identity, ...) elsewhere, hedgerow psql --as USER in psql.';"""


def create_statements() -> tuple[str, ...]:
    """Return the SQL that makes the schema and the table of signing keys; see `define_statements`.

    Only the owner may read the table: whoever reads a key can sign.
    """
    return (
        f"CREATE SCHEMA {SCHEMA}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC",
        f"""CREATE TABLE {SCHEMA}.signing_key (
    inner_pad bytea PRIMARY KEY,
    outer_pad bytea NOT NULL,
    max_age interval NOT NULL,
    retires_at timestamptz
)""",
    )


def define_statements(id_type: IdType, *, signed: bool) -> tuple[str, ...]:
    """Return the SQL that defines `rls.user_id()`, of `id_type`, and `rls.role()`.

    Both are STABLE: IMMUTABLE would freeze one user's identity into a cached plan (P17). They are
    SQL-standard bodies, parsed as they are created, so that no search_path changes what they mean
    (P7), and are inlined into the InitPlan. A setting that was made in an earlier transaction reads
    '' and not NULL (P12); either is an error, never an empty list (P16).
    """
    user_id = _setting(USER_ID_SETTING)
    checked = f"{SCHEMA}.{'verify_identity' if signed else 'require_identity'}()"
    cast = "" if id_type == "text" else f"::{id_type}"
    return (
        _verifier() if signed else _presence(),
        f"""CREATE OR REPLACE FUNCTION {SCHEMA}.user_id() RETURNS {id_type}
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN {checked} THEN {user_id}{cast} END""",
        f"""CREATE OR REPLACE FUNCTION {SCHEMA}.role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN {checked} THEN {_setting(ROLE_SETTING)} END""",
        # The other mode's check, which nothing refers to any more.
        f"DROP FUNCTION IF EXISTS {SCHEMA}.{'require_identity' if signed else 'verify_identity'}()",
    )


def exist(connection: Connection) -> bool:
    """Return whether schema `rls` is there, with what `create_statements` makes."""
    exists = text("SELECT to_regclass(:table) IS NOT NULL")
    return bool(connection.scalar(exists, {"table": f"{SCHEMA}.signing_key"}))


def drop_statements() -> tuple[str, ...]:
    """Return the SQL that removes the schema, keys and all."""
    return (f"DROP SCHEMA {SCHEMA} CASCADE",)


def _setting(name: str) -> str:
    return f"current_setting({sql.text_literal(name)}, true)"


def _presence() -> str:
    """Define the check of plain mode: user and role are there."""
    return f"""CREATE OR REPLACE FUNCTION {SCHEMA}.require_identity() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce({_setting(USER_ID_SETTING)}, '') = ''
        OR coalesce({_setting(ROLE_SETTING)}, '') = ''
    THEN
        {_MISSING}
    END IF;
    RETURN true;
END
$$"""


def _verifier() -> str:
    """Define the check of signed mode, which runs with the owner's rights to read the key.

    Digests are compared by their digests, so that the time of the comparison tells nothing about
    the right one. The time of issue is parsed only once the signature over it has been verified.
    A role that holds a space is never signed for: it could be role, time and the beginning of
    another user's id, where ids are text.
    """
    return f"""CREATE OR REPLACE FUNCTION {SCHEMA}.verify_identity() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    claimed_user text := {_setting(USER_ID_SETTING)};
    claimed_role text := {_setting(ROLE_SETTING)};
    signature text := {_setting(SIGNATURE_SETTING)};
    issued text := split_part(signature, ' ', 1);
    given bytea := sha256(convert_to(split_part(signature, ' ', 2), 'UTF8'));
    message bytea := CASE WHEN claimed_role NOT LIKE '% %' THEN
        convert_to(claimed_role || ' ' || issued || ' ' || claimed_user, 'UTF8') END;
    issued_at timestamptz;
    key record;
BEGIN
    IF coalesce(claimed_user, '') = '' OR coalesce(claimed_role, '') = '' THEN
        {_MISSING}
    END IF;
    FOR key IN
        SELECT inner_pad, outer_pad, max_age FROM {SCHEMA}.signing_key
        WHERE retires_at IS NULL OR retires_at > transaction_timestamp()
    LOOP
        IF given = sha256(convert_to(encode(
            sha256(key.outer_pad || sha256(key.inner_pad || message)), 'hex'), 'UTF8'))
        THEN
            issued_at := to_timestamp(issued::double precision);
            IF issued_at >= transaction_timestamp() - key.max_age
                AND issued_at <= clock_timestamp() + key.max_age
            THEN
                RETURN true;
            END IF;
            RAISE EXCEPTION USING
                ERRCODE = '{EXPIRED_SIGNATURE}',
                MESSAGE = 'row security: the identity was signed too early or too late',
                HINT = 'Hedgerow signs in each transaction: do the clocks of application and'
                    ' database agree? A psql that was opened long ago is to be opened again.';
        END IF;
    END LOOP;
    RAISE EXCEPTION USING
        ERRCODE = '{INVALID_SIGNATURE}',
        MESSAGE = 'row security: the identity is not signed with a key of this database',
        HINT = 'If the secret has changed, run alembic upgrade head, then start the application.';
END
$$"""  # noqa: S608
