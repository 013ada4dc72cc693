"""Error responses: their form in the OpenAPI document, and which errors become them."""

from typing import Any, Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from sqlmodel import SQLModel

from app.core.hashing import RETRY_AFTER_SECONDS, HashingBusyError
from app.core.text import PATTERN_SENTENCES
from app.crud import LastSuperuserError, UserNotFoundError

_SENTENCES: Final = {
    "json_invalid": "The body is not valid JSON",
    "model_attributes_type": "The body must be a JSON object, sent as application/json",
}


class Refusal(SQLModel):
    """Why a request was refused, in a sentence."""

    detail: str


def refusals(*status_codes: int) -> dict[int | str, dict[str, Any]]:
    """Declare, for a route or router, the status codes of its refusals."""
    return {code: {"model": Refusal} for code in status_codes}


SIGNED_IN: Final = refusals(400, 401, 403, 404, 409)
"""The error responses of every route that needs a signed-in user.

409 is for a value that is taken, or a key to a row that is not there or that the user cannot see.
"""


TAKES_PASSWORD: Final = refusals(429, 503)
"""The error responses of a route that takes a password, or asks for an e-mail, besides others.

429 is for too many attempts, 503 for more passwords than are hashed soon; both say when to retry.
"""


def item_not_found() -> HTTPException:
    """Return the answer for a missing item, and for another user's: 403 would tell it exists."""
    return HTTPException(status_code=404, detail="Item not found")


def install_error_handlers(app: FastAPI) -> None:
    """Answer invalid requests with a 4xx status and a plain message."""
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(DataError)(_unstorable_value)
    app.exception_handler(UserNotFoundError)(_user_not_found)
    app.exception_handler(LastSuperuserError)(_last_superuser)
    app.exception_handler(HashingBusyError)(_hashing_busy)


def _invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
    return _unprocessable([_plain(entry) for entry in error.errors()])


def _unstorable_value(_request: Request, _error: Exception) -> JSONResponse:
    sentence = "A value is of a kind or size that the database cannot store"
    return _unprocessable([{"loc": ["body"], "msg": sentence, "type": "value_error"}])


def _user_not_found(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse(status_code=404, content={"detail": "User not found"})


def _last_superuser(_request: Request, _error: Exception) -> JSONResponse:
    sentence = "This is the last active superuser: make another account one first"
    return JSONResponse(status_code=403, content={"detail": sentence})


def _hashing_busy(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse(
        status_code=503,
        content={"detail": "Too many passwords are being checked: try again in a moment"},
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    # `input` and `ctx` stay out: they echo passwords, and a NaN or a lone surrogate in them
    # cannot be written as JSON.
    sentence = _SENTENCES.get(entry["type"], entry["msg"])
    if entry["type"] == "string_pattern_mismatch":
        sentence = PATTERN_SENTENCES.get(entry["ctx"]["pattern"], sentence)
    return {"loc": list(entry["loc"]), "msg": sentence, "type": entry["type"]}


def _unprocessable(detail: list[dict[str, Any]]) -> JSONResponse:
    return JSONResponse(status_code=422, content={"detail": detail})
