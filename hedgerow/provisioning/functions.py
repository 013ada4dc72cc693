"""Schema `rls`: the functions that return the transaction's identity to policies."""

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.audit import functions as audit_functions
from hedgerow.config.identity import (
    CLAIMS_SETTING,
    ROLE_SETTING,
    SIGNATURE_SETTING,
    TENANT_SETTING,
    UNRECORDED,
    USER_ID_SETTING,
    USERS,
    Role,
)
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import IdType, RowSecurity
from hedgerow.errors import (
    EXPIRED_SIGNATURE,
    INVALID_SIGNATURE,
    MISSING_IDENTITY,
    REFUSED_DDL,
)

SCHEMA = "rls"

_SETTINGS = {
    "user_id_setting": sql.text_literal(USER_ID_SETTING),
    "role_setting": sql.text_literal(ROLE_SETTING),
}
_MISSING = {
    "missing_identity": sql.text_literal(MISSING_IDENTITY),
    "missing_message": sql.text_literal("row security: this transaction carries no identity"),
    "missing_hint": sql.text_literal(
        "Bind an identity to the session before you use it: RLSSessionDep in a route,"
        " hedgerow.bind(session, identity, ...) elsewhere, hedgerow psql --as USER in psql."
    ),
}
_ANY_ROLE = {"is_other": "false", "other_message": "NULL"}
_A_USER = {
    "is_other": " AND ".join(
        f"claimed_role OPERATOR(pg_catalog.<>) {sql.text_literal(role)}"
        for role in sorted({role.claimed for role in USERS})
    ),
    "other_message": sql.text_literal("row security: this transaction is no user's, but of role "),
}


def create_statements() -> tuple[str, ...]:
    """Return the SQL that makes the schema and the table of signing keys; see `define_statements`.

    Only the owner may read the table: who can read a key can sign.
    """
    return (
        f"CREATE SCHEMA {SCHEMA}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC",
        _statement("signing_key.sql"),
    )


def define_statements(id_type: IdType, *, signed: bool, audited: bool = False) -> tuple[str, ...]:
    """Return the SQL that defines `rls.user_id()`, of `id_type`, `rls.role()` and the like.

    `rls.sign_in()` returns the name that is claimed, `rls.service()` the service's;
    `rls.tenant_id()` and `rls.claim(name)` what an identity says beside its user. Where it is
    `audited`, an admin's role and a service are returned only for a recorded elevation.

    All are STABLE: IMMUTABLE would freeze one user's identity into a cached plan (P17). No
    search_path changes what they mean (P7). A setting that was made in an earlier transaction reads
    '' and not NULL (P12); either is an error, never an empty list (P16).

    `rls.user_id()` is one function that the planner leaves alone. One that it inlines, with a check
    beside it, costs a statement that is planned anew some 15 µs more.
    """
    return (
        *(_signed_functions(id_type) if signed else _plain_functions(id_type)),
        _role(signed=signed, audited=audited),
        _sign_in(),
        _service(audited=audited),
        _statement("tenant_id.sql", tenant_setting=sql.text_literal(TENANT_SETTING)),
        _claim(),
        # The other mode's check, which nothing refers to any more.
        f"DROP FUNCTION IF EXISTS {SCHEMA}.{_check(signed=not signed)}()",
    )


def definitions(row_security: RowSecurity, *, audited: bool) -> tuple[str, ...]:
    """Return the SQL that defines all functions of the schema as the configuration wants them.

    They are in the order to define them; `audited` where the audit trail's tables are there.
    """
    reason_required = row_security.audit is not None and row_security.audit.reason_required
    audit = audit_functions.define_statements(row_security.roles, reason_required=reason_required)
    signed = row_security.signing is not None
    return (
        *(audit if audited else ()),
        *define_statements(row_security.id_type, signed=signed, audited=audited),
        refuse_ddl_statement(row_security.roles),
        f"REVOKE ALL ON FUNCTION {SCHEMA}.refuse_ddl() FROM PUBLIC",
    )


def refuse_ddl_statement(roles: RoleNames) -> str:
    """Return the SQL that defines what the event trigger of `ddl_guard` calls."""
    return _statement(
        "refuse_ddl.sql",
        app_role=sql.text_literal(roles.app),
        refused_ddl=sql.text_literal(REFUSED_DDL),
    )


def definitions_for(connection: Connection, row_security: RowSecurity) -> tuple[str, ...]:
    """Return `definitions` for a database: the audit's where its tables are, whatever is wanted."""
    return definitions(row_security, audited=audit_functions.exist(connection))


def exist(connection: Connection) -> bool:
    """Return whether schema `rls` is there, with what `create_statements` makes."""
    exists = text("SELECT to_regclass(:table) IS NOT NULL")
    return bool(connection.scalar(exists, {"table": f"{SCHEMA}.signing_key"}))


def drop_statements() -> tuple[str, ...]:
    """Return the SQL that removes the schema, keys and all."""
    return (f"DROP SCHEMA {SCHEMA} CASCADE",)


def without_audit_statement() -> str:
    """Return the SQL that has `rls.role()` ask for no record of elevations any more."""
    return _statement(
        "unaudited_role.sql",
        signed_role=_role(signed=True, audited=False),
        plain_role=_role(signed=False, audited=False),
        service=_service(audited=False),
    )


def _statement(file: str, **values: str) -> str:
    return sql.fill(sql.read("hedgerow.provisioning", file), **values)


def _plain_functions(id_type: IdType) -> tuple[str, ...]:
    user_id = {"function": "user_id", "returned_type": id_type, **_A_USER}
    name = {"function": "identity_name", "returned_type": "text", **_ANY_ROLE}
    return (
        _statement("require_identity.sql", **_SETTINGS, **_MISSING),
        *(
            _statement("claimed_name.sql", **one, **_SETTINGS, **_MISSING)
            for one in (user_id, name)
        ),
    )


def _signed_functions(id_type: IdType) -> tuple[str, ...]:
    """Return the check, and `rls.user_id()` with the same check inside."""
    values = {
        "tenant_setting": sql.text_literal(TENANT_SETTING),
        "claims_setting": sql.text_literal(CLAIMS_SETTING),
        "signature_setting": sql.text_literal(SIGNATURE_SETTING),
        "expired_signature": sql.text_literal(EXPIRED_SIGNATURE),
        "invalid_signature": sql.text_literal(INVALID_SIGNATURE),
        **_SETTINGS,
        **_MISSING,
    }
    check = {"function": "verify_identity", "returned_type": "boolean", "result": "true"}
    claimed = {"result": "claimed_user"}
    user_id = {"function": "user_id", "returned_type": id_type, **claimed, **_A_USER}
    name = {"function": "identity_name", "returned_type": "text", **claimed, **_ANY_ROLE}
    kinds = ({**check, **_ANY_ROLE}, user_id, name)
    return tuple(_statement("verify_signature.sql", **one, **values) for one in kinds)


def _check(*, signed: bool) -> str:
    return "verify_identity" if signed else "require_identity"


def _role(*, signed: bool, audited: bool) -> str:
    values = {"check": _check(signed=signed), "role_setting": sql.text_literal(ROLE_SETTING)}
    if audited:
        values |= {role.value: sql.text_literal(role) for role in UNRECORDED}
        return _statement("audited_role.sql", **values)
    return _statement("role.sql", **values)


def _sign_in() -> str:
    return _statement(
        "sign_in.sql",
        role_setting=_SETTINGS["role_setting"],
        sign_in=sql.text_literal(Role.SIGN_IN),
    )


def _service(*, audited: bool) -> str:
    service = sql.text_literal(Role.SERVICE)
    recorded = f"CASE rls.verify_elevation() WHEN {service} THEN rls.identity_name() END"
    return _statement(
        "service.sql",
        role_setting=_SETTINGS["role_setting"],
        service=service,
        name=recorded if audited else "rls.identity_name()",
    )


def _claim() -> str:
    return _statement(
        "claim.sql",
        claims_setting=sql.text_literal(CLAIMS_SETTING),
        missing_identity=_MISSING["missing_identity"],
        claim_hint=sql.text_literal(
            "Give the claim to whom you bind: hedgerow.bind(session, Identity(user_id,"
            " claims={'location': ...}), ...), or hedgerow psql --as USER --claim location=..."
        ),
    )
