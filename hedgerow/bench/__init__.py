"""`hedgerow bench`: what the policies of a project's own tables cost, on its own database."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from hedgerow.bench.execution import looking, reading
from hedgerow.bench.questions import OPERATIONS
from hedgerow.bench.report import Limits, Report
from hedgerow.bench.table import TableBench
from hedgerow.config.identity import UserId
from hedgerow.config.project import Project
from hedgerow.connect import first_line
from hedgerow.errors import ConfigurationError, DatabaseNotReadyError
from hedgerow.policies.scope import Scope, scoped_tables

Progress = Callable[[str, int], None]
"""Told what is done next, and how many steps are done since it was last told."""


@dataclass(frozen=True)
class Wish:
    """What a person asks for: a user by the name they sign in with, and how long to measure."""

    user: str | None
    limits: Limits


def steps(project: Project) -> int:
    """Return how many steps `measure` will tell of."""
    return len(_scoped(project)) * len(OPERATIONS)


def measure(project: Project, wish: Wish, progress: Progress) -> Report:
    """Measure each scoped table with its policies, and with a WHERE by hand as the owner.

    Every transaction is READ ONLY, and every statement is ended by the server where it takes too
    long. What cannot be measured is told in the report.

    Raises ConfigurationError where there is nothing to measure, DatabaseNotReadyError where the
    database cannot be reached or was never migrated, IdentityError where there is no such user.
    """
    tables = _scoped(project)
    url = project.direct_application_url()
    # As the owner first: without the database's own roles the other login cannot succeed.
    with looking(project.owner_url(), "These name the owner of the tables.") as owner:
        user = _find_user(owner, project, wish)
        bench = TableBench(project, url, owner, wish.limits, progress)
        reports = tuple(bench.measure(table, scope, user) for table, scope in tables)
        if all(report.missing for report in reports):
            raise DatabaseNotReadyError(
                f"The database {owner.engine.url.database!r} has none of the scoped tables: run"
                " `alembic upgrade head`."
            )
        return Report(reports, wish.limits, signed=project.row_security.signing is not None)


def _scoped(project: Project) -> list[tuple[Table, Scope]]:
    if not project.row_security.enabled:
        raise ConfigurationError(
            "Row security is off (RLS_ENABLED=false), so it costs nothing: there is nothing to"
            " measure."
        )
    tables = list(scoped_tables(project.metadata))
    if not tables:
        raise ConfigurationError(
            "No model of this project is scoped, so there is nothing to measure: inherit"
            " UserScopedBase, or declare __rls__."
        )
    return tables


def _find_user(owner: Connection, project: Project, wish: Wish) -> UserId | None:
    if wish.user is None:
        return None
    try:
        with (
            reading(owner, wish.limits, past_policies=True),
            Session(owner, join_transaction_mode="create_savepoint") as session,
        ):
            return project.require_user(session, wish.user)
    except OperationalError:
        raise
    except DBAPIError as error:
        raise DatabaseNotReadyError(
            f"Cannot look up {wish.user!r}: {first_line(error)}. If the database is new, run"
            " `alembic upgrade head`."
        ) from None
