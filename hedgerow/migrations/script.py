"""What `alembic upgrade --sql` writes around the migrations, for an administrator to run as it is.

Secrets stay out of the script: passwords and the signing key come with the next online
`alembic upgrade head`, or from the administrator.
"""

from alembic import context
from sqlalchemy import MetaData

from hedgerow import sql
from hedgerow.audit.schema import ADD_TENANT
from hedgerow.catalogs.server import GRANT_OPTIONS_SINCE, VERSION
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.registry import scoped_tables
from hedgerow.policies.wanted import is_forced
from hedgerow.provisioning.ddl_guard import guard_statements
from hedgerow.provisioning.functions import SCHEMA, define_statements, definitions
from hedgerow.provisioning.role_changes import (
    Membership,
    WantedRole,
    spell_attributes,
    wanted_roles,
)
from hedgerow.provisioning.server_functions import close_statement

_COMMENT = """\
-- This script holds no secrets. Before the application starts, give {app} and {maintenance} their
-- passwords (\\password in psql){key}, or run `alembic upgrade head` once."""


def write_before(row_security: RowSecurity) -> None:
    """Write the roles, which migrations name."""
    roles = row_security.roles
    comment = _COMMENT.format(
        app=sql.name(roles.app),
        maintenance=sql.name(roles.maintenance),
        key=" and store the signing key" if row_security.signing else "",
    )
    context.get_context().impl.static_output(comment)
    context.execute(sql.Statement("SET row_security = off"))
    for wanted in wanted_roles(row_security):
        context.execute(sql.Statement(_create_if_missing(wanted)))
    for wanted in wanted_roles(row_security):
        for group, inherit in wanted.member_of.items():
            context.execute(sql.Statement(_grant_membership(wanted, group, inherit)))
    if context.get_starting_revision_argument() is not None and _goes_to_head():
        # Revisions name functions that an older version has not defined; `write_after` ends it.
        signed = row_security.signing is not None
        for statement in define_statements(row_security.id_type, signed=signed):
            context.execute(sql.Statement(_where_schema_exists(statement)))


def write_after(metadata: MetaData, row_security: RowSecurity) -> None:
    """Write what is not history: how identities are checked, and what the switches say."""
    if not _goes_to_head():
        return  # tables of other revisions are not those of the models
    context.execute(sql.Statement(ADD_TENANT))
    for statement in definitions(row_security, audited=row_security.audit is not None):
        context.execute(sql.Statement(statement))
    for statement in (*guard_statements(row_security.roles), close_statement(row_security.roles)):
        context.execute(sql.Statement(statement))
    enable = "ENABLE" if row_security.enabled else "DISABLE"
    for table, _ in scoped_tables(metadata):
        target = sql.table_name(table.name, table.schema)
        force = "FORCE" if is_forced(table, row_security) else "NO FORCE"
        for verb in (enable, force):
            context.execute(sql.Statement(f"ALTER TABLE {target} {verb} ROW LEVEL SECURITY"))


def _goes_to_head() -> bool:
    # Alembic answers with the number of the revision, whatever word was given for it.
    return context.get_revision_argument() in ("head", context.get_head_revision())


def _where_schema_exists(statement: str) -> str:
    body = f"""BEGIN
    IF to_regnamespace({sql.text_literal(SCHEMA)}) IS NOT NULL THEN
        EXECUTE {sql.text_literal(statement)};
    END IF;
END"""
    return f"DO {sql.text_literal(body)}"


def _create_if_missing(wanted: WantedRole) -> str:
    body = f"""BEGIN
    IF to_regrole({sql.text_literal(sql.name(wanted.name))}) IS NULL THEN
        CREATE ROLE {sql.name(wanted.name)} {spell_attributes(wanted.attributes)};
    END IF;
END"""
    return f"DO {sql.text_literal(body)}"  # no $$, which a role's name may hold


def _grant_membership(wanted: WantedRole, group: str, inherit: bool) -> str:
    with_options = Membership(group, inherit, set=True).grant_statement(wanted.name)
    without_options = Membership(group).grant_statement(wanted.name)
    # Before 16 a grant has no options; there the attribute NOINHERIT does it.
    body = f"""BEGIN
    IF {VERSION} >= {GRANT_OPTIONS_SINCE} THEN
        EXECUTE {sql.text_literal(with_options)};
    ELSE
        {without_options};
    END IF;
END"""
    return f"DO {sql.text_literal(body)}"
