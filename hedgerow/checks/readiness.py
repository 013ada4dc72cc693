"""Whether a database would keep users apart, asked as the application role before it serves."""

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import DBAPIError

from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.runner import Report, run
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import explain_connection_failure
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.findings import Finding, Level
from hedgerow.sessions.guarded import is_guarded

_SHOWN = 3
"""How many findings of one check are told in full."""


def verify(engine: Engine, metadata: MetaData, row_security: RowSecurity) -> None:
    """Return if row security holds for `engine`'s login; `engine` is the application's own.

    Runs the checks about roles, ownership, policies and the secret, in one connection. Raises
    DatabaseNotReadyError, whose message says what is wrong and the command that fixes it. What is
    no more than a warning is logged.
    """
    logger = logging.getLogger(row_security.logger)
    if not row_security.enabled:
        logger.warning(
            "RLS_ENABLED=false: PostgreSQL does not keep users apart, only the application does."
        )
    try:
        with engine.connect() as connection:
            if not is_guarded(connection.connection.driver_connection):
                logger.warning(
                    "The application's engine is not guarded: what injected SQL sets on a"
                    " connection reaches its next user. Give it to hedgerow.guard(engine,"
                    " row_security) where it is created."
                )
            inspection = Inspection(connection, row_security, metadata)
            report = run((check for check in CHECKS if check.at_start_up), inspection)
    except DBAPIError as error:  # also of what SQLAlchemy asks of a new connection
        fix = (
            "Check the application role's password (RLS_APP_PASSWORD); if it is a new database or a"
            " changed password, run `alembic upgrade head`."
        )
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, fix)) from None
    for warning in _said(report, Level.WARNING):
        logger.warning("%s", warning)
    if faults := _faults(report):
        raise DatabaseNotReadyError(" ".join(faults))


def _faults(report: Report) -> list[str]:
    """Return what is wrong; what could not be determined only where nothing else explains it."""
    return _said(report, Level.ERROR) or [
        f"{answer.check.title} ({answer.check.number}) could not be determined:"
        f" {answer.undetermined}"
        for answer in report.answers
        if answer.undetermined is not None
    ]


def _said(report: Report, level: Level) -> list[str]:
    """Return the findings of a level in sentences, the same one once, and no check's at length."""
    said = [
        sentence
        for answer in report.answers
        for sentence in _told([f for f in answer.findings if answer.level_of(f) is level])
    ]
    return list(dict.fromkeys(said))


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what one check found, findings with the same fix together."""
    shown = findings[:_SHOWN]
    for fix in dict.fromkeys(finding.fix for finding in shown):
        sentences = " ".join(finding.sentence for finding in shown if finding.fix == fix)
        yield _spell(sentences, fix)
    if more := len(findings) - len(shown):
        yield f"There are {more} more like this: `hedgerow check` lists them, each with its fix."


def _spell(sentences: str, fix: str) -> str:
    if fix.endswith("."):
        return f"{sentences} {fix}"
    how = "as the owner run" if fix.endswith(";") else "run"
    return f"{sentences} To fix it, {how} `{fix}`."
