"""`hedgerow bench`: what the policies of a project's own tables cost, on its own database."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table

from hedgerow.bench.execution import connect_read_only
from hedgerow.bench.questions import OPERATIONS
from hedgerow.bench.report import Limits, Report
from hedgerow.bench.table import TableBench
from hedgerow.config.project import Project
from hedgerow.errors import ConfigurationError, DatabaseNotReadyError
from hedgerow.policies.registry import scoped_tables
from hedgerow.policies.scope import Scope
from hedgerow.sessions.lookup import require_user

Progress = Callable[[str, int], None]
"""Called with what is done next, and the number of steps done since the last call."""


@dataclass(frozen=True)
class Request:
    """What to measure: as which user, by the name they sign in with, and within which limits."""

    user: str | None
    limits: Limits


def steps(project: Project) -> int:
    """Return the number of steps that `measure` reports to its `progress`."""
    return len(_scoped(project)) * len(OPERATIONS)


def measure(project: Project, request: Request, progress: Progress) -> Report:
    """Measure each scoped table with its policies, and as the owner with an explicit WHERE instead.

    Every transaction is READ ONLY, and the server cancels a statement that takes too long. The
    report says what could not be measured.

    Raises ConfigurationError where there is nothing to measure, DatabaseNotReadyError where the
    database cannot be reached or was never migrated, IdentityError where there is no such user.
    """
    tables = _scoped(project)
    url = project.direct_application_url()
    # As the owner first: without the database's own roles the other login cannot succeed.
    with connect_read_only(project.owner_url(), "These name the owner of the tables.") as owner:
        user = None if request.user is None else require_user(project, request.user)
        bench = TableBench(project, url, owner, request.limits, progress)
        reports = tuple(bench.measure(table, scope, user) for table, scope in tables)
        if all(report.missing for report in reports):
            raise DatabaseNotReadyError(
                f"The database {owner.engine.url.database!r} has none of the scoped tables: run"
                " `alembic upgrade head`."
            )
        return Report(reports, request.limits, signed=project.row_security.signing is not None)


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
