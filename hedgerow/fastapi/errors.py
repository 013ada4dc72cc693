"""From an error to a status and a sentence; what the operator needs goes to the log."""

import logging
import re
import warnings
from typing import cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError, SAWarning
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from hedgerow.connect import first_line
from hedgerow.errors import (
    EXPIRED_SIGNATURE,
    INSUFFICIENT_PRIVILEGE,
    INVALID_SIGNATURE,
    LAST_OWNER,
    MISSING_IDENTITY,
    READ_ONLY_TRANSACTION,
    REFUSED_DDL,
    UNRECORDED_ELEVATION,
    HedgerowError,
)
from hedgerow.fastapi import recorder, statements
from hedgerow.fastapi.safe_methods import SAFE_METHODS

logger = logging.getLogger("hedgerow.fastapi")

_CONFLICTS = frozenset({"23001", "23503", "23505", "23P01"})
"""SQLSTATEs of restrict, foreign key, unique and exclusion violations."""

_EXPLAINED = (INVALID_SIGNATURE, EXPIRED_SIGNATURE, UNRECORDED_ELEVATION, REFUSED_DDL)
"""SQLSTATEs of Hedgerow's functions whose hint says what fixes it."""

_DELETED_NOTHING = r"DELETE statement on table '.*' expected to delete"
"""How SQLAlchemy's warning begins where `session.delete(row)` found no row that it may delete."""


def install_error_handlers(app: FastAPI) -> None:
    """Answer `{"detail": "a sentence"}` where PostgreSQL refuses, and log what fixes it.

    | what happened | answer |
    |---|---|
    | the row went between reading and writing it, or may be read and not changed | 404 |
    | a refused statement (42501), a write in a read-only transaction | 403 |
    | such a write in a GET, HEAD or OPTIONS request, which is to read only | 500 |
    | a value that another row, perhaps a hidden one, has or lacks (P31, P32) | 409 |
    | a tenant that would be left without an owner | 409 |
    | no identity, one that is not believed, an unrecorded elevation, DDL, a HedgerowError | 500 |

    An application's own handlers for more special errors come first, wherever they are installed;
    every other database error passes through. A hidden row is not an error: routes answer 404
    for it, as for a missing one (P25).

    SQLAlchemy only warns where `session.delete(row)` deletes nothing, and the route would answer
    that it did. In a process that installs this, that warning is an error.
    """
    statements.listen()
    app.add_exception_handler(DBAPIError, _database_error)
    app.add_exception_handler(IntegrityError, _conflict)
    warnings.filterwarnings("error", message=_DELETED_NOTHING, category=SAWarning)
    app.add_exception_handler(SAWarning, _deleted_nothing)
    app.add_exception_handler(StaleDataError, _row_is_gone)
    app.add_exception_handler(ObjectDeletedError, _row_is_gone)
    app.add_exception_handler(HedgerowError, _own_error)


def _answer(status_code: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=status_code)


def _server_error() -> JSONResponse:
    return _answer(500, "Internal Server Error")


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    error = cast(DBAPIError, error)
    where = (request.method, request.url.path)
    match getattr(error.orig, "sqlstate", None):
        case state if state == READ_ONLY_TRANSACTION and request.method in SAFE_METHODS:
            logger.error(
                "%s %s wrote: %s: %s. Requests with this method only read: use POST, PUT, PATCH or"
                " DELETE for this route; if it must write here, give it a session that is not READ"
                " ONLY (in Hedgerow's template: dependencies=[MayWrite] in its decorator).",
                *where,
                statements.failed_statement(error) or "SQL text",
                first_line(error),
            )
            return _server_error()
        case state if state == MISSING_IDENTITY or _is_stopped_by_row_security(error):
            logger.error(
                "%s %s touched a scoped table without an identity: use RLSSessionDep instead of"
                " SessionDep in this route.",
                *where,
            )
            return _server_error()
        case state if state in (INSUFFICIENT_PRIVILEGE, READ_ONLY_TRANSACTION):
            statement = statements.failed_statement(error)
            recorder.note_refusal(statement)
            logger.warning(
                "%s %s was refused: %s: %s", *where, statement or "SQL text", first_line(error)
            )
            if state == READ_ONLY_TRANSACTION:
                return _answer(403, "This access is read-only.")
            verb = "read" if request.method in SAFE_METHODS else "write"
            return _answer(403, f"You may not {verb} this.")
        case state if state == LAST_OWNER:
            logger.info("%s %s: %s", *where, first_line(error))
            return _answer(
                409,
                "The last owner stays: make another member an owner first, or delete the tenant.",
            )
        case state if state in _EXPLAINED:
            hint = getattr(getattr(error.orig, "diag", None), "message_hint", None)
            logger.error("%s %s: %s. %s", *where, first_line(error), hint or "")
            return _server_error()
    raise error


def _is_stopped_by_row_security(error: DBAPIError) -> bool:
    """Return whether a scoped table was asked with row_security off, as nobody's transactions are.

    Its SQLSTATE is that of each refusal, and the language of its message is the server's choice.
    """
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "source_function", None) == "check_enable_rls"


async def _conflict(request: Request, error: Exception) -> JSONResponse:
    """Say that there is a conflict, and not with what: that may be another user's row.

    The log names the constraint. It has no values, which PostgreSQL's message would.
    """
    error = cast(IntegrityError, error)
    if getattr(error.orig, "sqlstate", None) not in _CONFLICTS:
        raise error
    diagnosis = getattr(error.orig, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None)
    recorder.note_refusal(statements.failed_statement(error), constraint)
    logger.info(
        "%s %s conflicts with constraint %s of table %s",
        request.method,
        request.url.path,
        constraint,
        getattr(diagnosis, "table_name", None),
    )
    return _answer(409, "This conflicts with existing data.")


async def _row_is_gone(request: Request, error: Exception) -> JSONResponse:
    logger.info("%s %s: %s", request.method, request.url.path, error)
    return _answer(404, "Not found.")


async def _deleted_nothing(request: Request, error: Exception) -> JSONResponse:
    if re.match(_DELETED_NOTHING, str(error)) is None:
        raise error
    return await _row_is_gone(request, error)


async def _own_error(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return _server_error()
