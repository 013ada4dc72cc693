"""The functions of schema `rls`, through which policies ask who the transaction is."""

from hedgerow import sql
from hedgerow.errors import MISSING_IDENTITY
from hedgerow.identity import ROLE_SETTING, USER_ID_SETTING
from hedgerow.row_security import IdType

SCHEMA = "rls"

_HINT = (
    "Bind an identity to the session before you use it: RLSSessionDep in a route,"
    " hedgerow.bind(session, identity, ...) elsewhere."
)


def create_statements(id_type: IdType) -> tuple[str, ...]:
    """Return the SQL that makes schema `rls` and its functions, for a user key of `id_type`.

    Both functions are STABLE: IMMUTABLE would freeze one user's identity into a cached plan (P17).
    They are SQL-standard bodies, parsed as they are created, so that no search_path changes what
    they mean (P7), and are inlined into the InitPlan. A setting that was made in an earlier
    transaction reads '' and not NULL (P12); either is an error, never an empty list (P16).
    """
    user_id = f"nullif(current_setting({sql.text_literal(USER_ID_SETTING)}, true), '')"
    role = f"nullif(current_setting({sql.text_literal(ROLE_SETTING)}, true), '')"
    cast_id = user_id if id_type == "text" else f"{user_id}::{id_type}"
    return (
        f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
        f"REVOKE CREATE ON SCHEMA {SCHEMA} FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC",
        f"""CREATE OR REPLACE FUNCTION {SCHEMA}.missing_identity() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = {sql.text_literal(MISSING_IDENTITY)},
        MESSAGE = 'row security: this transaction carries no identity',
        HINT = {sql.text_literal(_HINT)};
END
$$""",
        f"""CREATE OR REPLACE FUNCTION {SCHEMA}.user_id() RETURNS {id_type}
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce({cast_id}, {SCHEMA}.missing_identity()::{id_type})""",
        f"""CREATE OR REPLACE FUNCTION {SCHEMA}.role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce({role}, {SCHEMA}.missing_identity())""",
    )


def drop_statements() -> tuple[str, ...]:
    """Return the SQL that removes what `create_statements` made."""
    return (
        f"DROP FUNCTION {SCHEMA}.role()",
        f"DROP FUNCTION {SCHEMA}.user_id()",
        f"DROP FUNCTION {SCHEMA}.missing_identity()",
        f"DROP SCHEMA {SCHEMA}",
    )
