"""A project whose tables are measured, and what is put into them."""

from sqlalchemy import MetaData, text
from sqlmodel import SQLModel

from app.core.project import find_user
from hedgerow import RowSecurity
from hedgerow.bench import Request, measure
from hedgerow.bench.report import Limits, Operation, Report, TableReport, lines
from hedgerow.config.project import Project
from tests.support import projects
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY

OWNERS, ITEMS_EACH = 100, 50
LIMITS = Limits(rounds=2, timeout=30.0)

# What a transaction changed is counted with its commit, not some time later.
FLUSH = text("SELECT pg_stat_force_next_flush()")

_FILL = (
    """INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, created_at)
    SELECT md5(n::text)::uuid, n || '@example.com', 'none', true, false, now()
    FROM generate_series(1, :owners) n""",
    """INSERT INTO item (id, owner_id, title, description, created_at)
    SELECT gen_random_uuid(), md5((n % :owners + 1)::text)::uuid, 'item ' || n, n::text,
        now() + n * interval '1 second'
    FROM generate_series(1, :items) n""",
)


def fill(database: Database, *statements: str, analyze: bool = True) -> None:
    """Give 100 users 50 items each, as the owner, and then run what a test is about."""
    with database.as_owner() as owner:
        for statement in _FILL:
            owner.execute(text(statement), {"owners": OWNERS, "items": OWNERS * ITEMS_EACH})
        owner.execute(FLUSH)
    if analyze:
        with database.as_owner() as owner:
            owner.execute(text("ANALYZE item"))
    with database.as_owner() as owner:
        for statement in statements:
            owner.execute(text(statement))
        owner.execute(FLUSH)


def reports(database: Database, metadata: MetaData, user: str | None) -> dict[str, TableReport]:
    """Return the report of each table of `metadata`, as one of its users or a typical one."""
    project = projects.project_of(database, metadata)
    report = measure(project, Request(user, LIMITS), lambda _, __: None)
    assert list(lines(report))
    return {each.table: each for each in report.tables}


def project_of(
    database: Database,
    row_security: RowSecurity = ROW_SECURITY,
    metadata: MetaData = SQLModel.metadata,
) -> Project:
    return Project(
        row_security=row_security,
        metadata=metadata,
        application_url=lambda: database.app_url,
        owner_url=lambda: database.owner_url,
        find_user=find_user,
    )


def report_of(
    database: Database,
    user: str | None = None,
    limits: Limits = LIMITS,
    row_security: RowSecurity = ROW_SECURITY,
) -> Report:
    request = Request(user, limits)
    return measure(project_of(database, row_security), request, lambda _, __: None)


def item_report(
    database: Database, user: str | None = None, limits: Limits = LIMITS
) -> TableReport:
    """Return what is said of the application's items."""
    (report,) = (each for each in report_of(database, user, limits).tables if each.table == "item")
    return report


def operation(report: TableReport, name: str) -> Operation:
    (found,) = (each for each in report.operations if each.operation == name)
    return found


def checks(report: TableReport) -> list[str | None]:
    """Return the numbers of the rules that the advice points to."""
    return [advice.check for advice in report.advice]
