"""What a FastAPI application answers where the database refuses."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError

from hedgerow.errors import (
    EXPIRED_SIGNATURE,
    INSUFFICIENT_PRIVILEGE,
    INVALID_SIGNATURE,
    MISSING_IDENTITY,
    READ_ONLY_TRANSACTION,
)

logger = logging.getLogger("hedgerow.fastapi")


def install_error_handlers(app: FastAPI) -> None:
    """Answer 403 for a refused write and 500, with a log line that names the cure, for no identity.

    Other database errors pass through to FastAPI's own handling. A hidden row is no error: routes
    answer 404 for it, as for a missing one (P25).
    """
    app.add_exception_handler(DBAPIError, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state == INSUFFICIENT_PRIVILEGE:
        logger.warning("%s %s was refused: %s", request.method, request.url.path, error)
        return JSONResponse({"detail": "You may not write this."}, status_code=403)
    if state == READ_ONLY_TRANSACTION:
        logger.warning("%s %s was refused: %s", request.method, request.url.path, error)
        return JSONResponse({"detail": "This access is read-only."}, status_code=403)
    if state == MISSING_IDENTITY:
        logger.error(
            "%s %s touched a scoped table without an identity: use RLSSessionDep instead of"
            " SessionDep in this route.",
            request.method,
            request.url.path,
        )
        return JSONResponse({"detail": "Internal Server Error"}, status_code=500)
    if state in (INVALID_SIGNATURE, EXPIRED_SIGNATURE):
        logger.error("%s %s: %s", request.method, request.url.path, error)
        return JSONResponse({"detail": "Internal Server Error"}, status_code=500)
    raise error
