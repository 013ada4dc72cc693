"""Schema `rls`: the functions through which policies ask who the transaction is."""

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.config.identity import ROLE_SETTING, SIGNATURE_SETTING, USER_ID_SETTING, Role
from hedgerow.config.row_security import IdType
from hedgerow.errors import EXPIRED_SIGNATURE, INVALID_SIGNATURE, MISSING_IDENTITY

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


def define_statements(id_type: IdType, *, signed: bool, audited: bool = False) -> tuple[str, ...]:
    """Return the SQL that defines `rls.user_id()`, of `id_type`, and `rls.role()`.

    Where it is `audited`, `rls.role()` calls nobody an admin whose elevation is not recorded.

    Both are STABLE: IMMUTABLE would freeze one user's identity into a cached plan (P17). No
    search_path changes what they mean (P7). A setting that was made in an earlier transaction reads
    '' and not NULL (P12); either is an error, never an empty list (P16).

    `rls.user_id()` is one function that the planner leaves alone. One that it inlines, with a check
    beside it, costs a statement that is planned anew some 15 µs more.
    """
    checked = f"{SCHEMA}.{'verify_identity' if signed else 'require_identity'}()"
    return (
        _verifier("verify_identity", "boolean", "true") if signed else _presence(),
        _verifier("user_id", id_type, "claimed_user") if signed else _user_id(id_type),
        _role(checked, audited=audited),
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


def without_audit_statement() -> str:
    """Return the SQL that has `rls.role()` ask for no record of elevations any more."""
    signed, plain = (
        _role(f"{SCHEMA}.{check}()", audited=False)
        for check in ("verify_identity", "require_identity")
    )
    return f"""DO $do$ BEGIN
    IF to_regprocedure('{SCHEMA}.verify_identity()') IS NOT NULL THEN
        {signed};
    ELSE
        {plain};
    END IF;
END $do$"""


def _role(checked: str, *, audited: bool) -> str:
    role = _setting(ROLE_SETTING)
    if audited:
        user = sql.text_literal(Role.USER)
        role = f"CASE {role} WHEN {user} THEN {user} ELSE {SCHEMA}.verify_elevation() END"
    return f"""CREATE OR REPLACE FUNCTION {SCHEMA}.role() RETURNS text
LANGUAGE sql STABLE PARALLEL {"RESTRICTED" if audited else "SAFE"}
RETURN CASE WHEN {checked} THEN {role} END"""


def _user_id(id_type: IdType) -> str:
    """Define who asks, in plain mode.

    Every name is qualified: a search_path of its own would cost the function a third of its time.
    """
    user_id, role = (f"pg_catalog.{_setting(name)}" for name in (USER_ID_SETTING, ROLE_SETTING))
    return f"""CREATE OR REPLACE FUNCTION {SCHEMA}.user_id() RETURNS {id_type}
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    claimed pg_catalog.text := {user_id};
BEGIN
    IF claimed OPERATOR(pg_catalog.<>) '' AND {role} OPERATOR(pg_catalog.<>) '' THEN
        RETURN claimed;
    END IF;
    {_MISSING}
END
$$"""


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


def _verifier(name: str, returns: str, result: str) -> str:
    """Define a function that checks the signature and then returns `result`.

    It runs with the owner's rights to read the key.

    Digests are compared by their digests, so that the time of the comparison tells nothing about
    the right one. The time of issue is parsed only once the signature over it has been verified.
    A role that holds a space is never signed for: it could be role, time and the beginning of
    another user's id, where ids are text.
    """
    return f"""CREATE OR REPLACE FUNCTION {SCHEMA}.{name}() RETURNS {returns}
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
                RETURN {result};
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
