"""Whether a database would keep users apart, asked as the application role before it serves."""

import logging

from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import OperationalError

from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.runner import Report, run
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import explain_connection_failure
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.findings import Finding


def verify(engine: Engine, metadata: MetaData, row_security: RowSecurity) -> None:
    """Return if row security holds for `engine`'s login; `engine` is the application's own.

    Runs the checks about roles, ownership, policies and the secret, in one connection. Raises
    DatabaseNotReadyError, whose message says what is wrong and the command that fixes it.
    """
    if not row_security.enabled:
        logging.getLogger(row_security.logger).warning(
            "RLS_ENABLED=false: PostgreSQL does not keep users apart, only the application does."
        )
    try:
        with engine.connect() as connection:
            inspection = Inspection(connection, row_security, metadata)
            report = run((check for check in CHECKS if check.at_start_up), inspection)
    except OperationalError as error:
        fix = (
            "Check the application role's password (RLS_APP_PASSWORD); if it is a new database or a"
            " changed password, run `alembic upgrade head`."
        )
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, fix)) from None
    if faults := list(dict.fromkeys(_faults(report))):
        raise DatabaseNotReadyError(" ".join(faults))


def _faults(report: Report) -> list[str]:
    """Return what is wrong; what could not be determined only where nothing else explains it."""
    found = [_spell(finding) for answer in report.answers for finding in answer.findings]
    return found or [
        f"{answer.check.title} ({answer.check.number}) could not be determined:"
        f" {answer.undetermined}"
        for answer in report.answers
        if answer.undetermined is not None
    ]


def _spell(finding: Finding) -> str:
    if finding.fix.endswith("."):
        return f"{finding.sentence} {finding.fix}"
    how = "as the owner run" if finding.fix.endswith(";") else "run"
    return f"{finding.sentence} To fix it, {how} `{finding.fix}`."
