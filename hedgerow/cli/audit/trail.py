"""The audit trail that the commands of `hedgerow audit` work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from hedgerow.audit import functions
from hedgerow.config.project import Project, load_project
from hedgerow.connect import connect, first_line
from hedgerow.errors import ConfigurationError, DatabaseNotReadyError

_UPGRADE = "run `alembic upgrade head`"


def load_audited_project() -> Project:
    """Return the project in the working directory; raises ConfigurationError without a trail."""
    project = load_project(Path.cwd())
    if project.row_security.audit is None:
        raise ConfigurationError(
            "This project has no audit trail: declare one with RowSecurity(audit=Audit())."
        )
    return project


@contextmanager
def connect_as_owner(project: Project) -> Iterator[Connection]:
    """Yield the owner's connection, in no transaction, to a database that has an audit trail."""
    engine = create_engine(project.owner_url(), poolclass=NullPool)
    with connect(engine, f"If it is a new database, {_UPGRADE}.") as connection:
        try:
            with connection.begin():
                migrated = functions.exist(connection)
            if not migrated:
                raise DatabaseNotReadyError(f"This database has no audit trail: {_UPGRADE}.")
            yield connection
        except DBAPIError as error:
            raise DatabaseNotReadyError(
                f"Cannot work on the audit trail: {first_line(error)}. This needs the owner of the"
                f" tables, in a database that is up to date: {_UPGRADE}."
            ) from None
