"""What an Alembic `env.py` calls: roles, then history, then the settings that are not history."""

from collections.abc import Collection
from typing import Any

from alembic import context
from alembic.runtime.environment import IncludeNameFn, NameFilterParentNames, NameFilterType
from sqlalchemy import Connection, Engine, MetaData, func, select, text
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.audit.logins import record_logins
from hedgerow.audit.schema import ADD_TENANT
from hedgerow.config.roles import LoginPasswords
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import connect, first_line
from hedgerow.errors import MigrationError, ProvisioningError
from hedgerow.migrations import script
from hedgerow.migrations.options import alembic_options
from hedgerow.migrations.restore import RESTORE, restore
from hedgerow.migrations.schemas import used_schemas
from hedgerow.provisioning.ddl_guard import refuse_ddl
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.provisioning.role_settings import reset_settings
from hedgerow.provisioning.roles import ensure_roles
from hedgerow.provisioning.server_functions import close_functions
from hedgerow.provisioning.switches import reconcile

_LOCK = 0x4845444745  # "HEDGE": two migrations of one database wait for each other


def run(
    engine: Engine,
    *,
    target_metadata: MetaData,
    row_security: RowSecurity,
    passwords: LoginPasswords,
    **options: Any,
) -> None:
    """Run the current Alembic command on `engine`, which logs in as the tables' owner.

    Commands that move the database (upgrade, downgrade, stamp) first make sure that the roles
    exist, and at the end bring ENABLE, FORCE and the signing key to what `row_security` says; all
    of it is one transaction, unless `transaction_per_migration` parts it. `alembic revision` and
    `alembic check` change nothing in the database; before the first upgrade they compare as if the
    roles were there. `options` go to `context.configure`; what `include_name` and `include_object`
    exclude is neither granted nor revoked anything either (P62). Of the schemas, autogenerate sees
    those of the models and those that were opened to the application.

    Row security is off for the owner, so that under FORCE a backfill or a foreign key's validation
    that would skip hidden rows fails instead of reporting success (P35, P36).

    Raises a HedgerowError, whose message is one line: MigrationError where a migration failed,
    ProvisioningError where the owner cannot connect or may not do something, DriftError where
    `alembic check` cannot tell, ConfigurationError for another driver than psycopg 3.

    The trap: it prints nothing. Lines such as `Running upgrade` are log records of Alembic's, which
    `env.py` shows with `fileConfig(context.config.config_file_name)`.
    """
    common = alembic_options(engine, target_metadata, row_security, options)
    if context.is_offline_mode():
        offline = {
            "url": engine.url,
            "literal_binds": True,
            "dialect_opts": {"paramstyle": "named"},
        }
        context.configure(**{**offline, **common})
        with context.begin_transaction():
            script.write_before(row_security)
            context.run_migrations()
            script.write_after(target_metadata, row_security)
        return
    try:
        fix = "These name the owner of the tables, not the application's role."
        with connect(engine, fix, ProvisioningError) as connection:
            _prepare(connection)
            if _moves_database():
                # In a transaction of its own, for it locks the trail, which admins wait for; and
                # before functions that write the column are there.
                connection.execute(sql.Statement(ADD_TENANT))
                connection.commit()
            schemas = {table.schema for table in target_metadata.tables.values()}
            schemas |= used_schemas(connection, row_security.roles)
            connection.commit()  # Alembic opens, and ends, a transaction of its own
            common.setdefault("include_schemas", schemas != {None})
            common["include_name"] = _within(schemas, common.get("include_name"))
            context.configure(connection=connection, **common)
            may_stop_signing = "signing=off" in context.get_x_argument()
            with context.begin_transaction():
                if _moves_database():
                    ensure_roles(connection, row_security, passwords)
                    reset_settings(connection, row_security)
                    # Revisions name functions that an older version has not defined.
                    reconcile_functions(connection, row_security, may_stop_signing=may_stop_signing)
                context.run_migrations()
                if _moves_database():
                    if RESTORE in context.get_x_argument():
                        _require_head()
                        restore(connection, context.get_context(), target_metadata, row_security)
                    reconcile_functions(connection, row_security, may_stop_signing=may_stop_signing)
                    record_logins(connection)
                    refuse_ddl(connection, row_security)
                    close_functions(connection, row_security.roles)
                    reconcile(connection, target_metadata, row_security)
            # With `transaction_per_migration` nothing else commits what follows the last one.
            connection.commit()
    except DBAPIError as error:
        raise MigrationError(_explain(error)) from error


def _within(schemas: Collection[str | None], include_name: IncludeNameFn | None) -> IncludeNameFn:
    """Return an `include_name` that knows these schemas only, and asks the project's own too."""

    def include(name: str | None, kind: NameFilterType, parents: NameFilterParentNames) -> bool:
        if kind == "schema" and name not in schemas:
            return False
        return include_name is None or include_name(name, kind, parents)

    return include


def _explain(error: DBAPIError) -> str:
    said = first_line(error)
    if "row-level security policy" in said:
        said += (
            ". RLS_FORCE filters the owner too, and a migration must not skip rows silently: begin"
            " it with op.no_force_rls(table); the upgrade forces the table again at its end"
        )
    return f"The migration failed and was rolled back: {said}."


def _prepare(connection: Connection) -> None:
    """Wait for other migrations and switch row security off, for the length of this connection."""
    connection.execute(select(func.pg_advisory_lock(_LOCK)))
    connection.execute(text("SET row_security = off"))
    connection.commit()  # or a rollback would take the setting back


def _require_head() -> None:
    """Raise MigrationError where the command does not go to the newest revision.

    What the models declare is right for the tables of that one alone.
    """
    if set(context.get_context().get_current_heads()) != set(context.get_head_revisions() or ()):
        raise MigrationError(f"-x {RESTORE} needs every revision: run it with `upgrade head`.")


def _moves_database() -> bool:
    try:
        context.get_revision_argument()
    except KeyError:  # `current`, `check`, `revision`: commands that have no destination
        return False
    return True
