"""Whether a database would keep users apart, asked as the application role before it serves."""

import logging
from collections.abc import Sequence

from sqlalchemy import Engine, MetaData
from sqlalchemy.exc import OperationalError

from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.runner import Report, run
from hedgerow.config.row_security import RowSecurity
from hedgerow.connect import explain_connection_failure
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.findings import Level

_SHOWN = 3
"""How many findings with the same fix are told in full."""


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
            inspection = Inspection(connection, row_security, metadata)
            report = run((check for check in CHECKS if check.at_start_up), inspection)
    except OperationalError as error:
        fix = (
            "Check the application role's password (RLS_APP_PASSWORD); if it is a new database or a"
            " changed password, run `alembic upgrade head`."
        )
        raise DatabaseNotReadyError(explain_connection_failure(engine, error, fix)) from None
    if faults := _faults(report):
        raise DatabaseNotReadyError(" ".join(faults))
    for warning in _said(report, Level.WARNING):
        logger.warning("%s", warning)


def _faults(report: Report) -> list[str]:
    """Return what is wrong; what could not be determined only where nothing else explains it."""
    return _said(report, Level.ERROR) or [
        f"{answer.check.title} ({answer.check.number}) could not be determined:"
        f" {answer.undetermined}"
        for answer in report.answers
        if answer.undetermined is not None
    ]


def _said(report: Report, level: Level) -> list[str]:
    """Return the findings of a level in sentences, those with the same fix together."""
    by_fix: dict[str, dict[str, None]] = {}
    for answer in report.answers:
        for finding in answer.findings:
            if answer.level_of(finding) is level:
                by_fix.setdefault(finding.fix, {})[finding.sentence] = None
    return [_spell(list(sentences), fix) for fix, sentences in by_fix.items()]


def _spell(sentences: Sequence[str], fix: str) -> str:
    shown = " ".join(sentences[:_SHOWN])
    if len(sentences) > _SHOWN:
        shown += f" So it is with {len(sentences) - _SHOWN} more, which `hedgerow check` lists."
    if fix.endswith("."):
        return f"{shown} {fix}"
    how = "as the owner run" if fix.endswith(";") else "run"
    return f"{shown} To fix it, {how} `{fix}`."
