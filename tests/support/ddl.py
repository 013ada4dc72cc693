"""A database whose owner could not create event triggers: the guards behind that one are tested."""

from sqlalchemy import text

from hedgerow import sql
from tests.support.databases import Database


def allow_ddl(database: Database) -> None:
    """Let the application's login run DDL as far as privileges go, temporary tables as well."""
    _run(database, "DISABLE", "GRANT TEMPORARY ON DATABASE {} TO PUBLIC")


def refuse_ddl(database: Database) -> None:
    """Refuse it again, as in every migrated database."""
    _run(database, "ENABLE", "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC")


def _run(database: Database, switch: str, statement: str) -> None:
    with database.as_owner() as owner:
        owner.execute(text(f"ALTER EVENT TRIGGER rls_refuse_ddl {switch}"))
        owner.execute(text(statement.format(sql.name(database.name))))
