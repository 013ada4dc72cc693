"""The log's format: text lines, or JSON."""

import logging

from asgi_correlation_id import CorrelationIdFilter
from pythonjsonlogger.json import JsonFormatter

from app.core.config import settings
from hedgerow.fastapi import IdentityFilter

_SERVER_LOGGERS = ("uvicorn", "uvicorn.access")
_NAMES = {
    "asctime": "time",
    "levelname": "level",
    "name": "logger",
    "message": "message",
    "correlation_id": "request_id",
    "role": "role",
    "user_hash": "user_hash",
}
"""What a JSON line holds: a record's attribute, and the line's name for it."""


def configure_logging() -> None:
    """Set the log's format; in JSON each line holds request, role and hashed user.

    With LOG_FORMAT=json the server's own handlers, which exist by then, write JSON too.
    """
    # Without a handler, Python would show no message of the application's below WARNING.
    logging.basicConfig(format="%(levelname)s: %(name)s: %(message)s")
    logging.getLogger("app").setLevel(logging.INFO)
    if settings.LOG_FORMAT == "json":
        for name in (None, *_SERVER_LOGGERS):
            for handler in logging.getLogger(name).handlers:
                _write_json(handler)


def _write_json(handler: logging.Handler) -> None:
    fields = " ".join(f"%({name})s" for name in _NAMES)
    handler.setFormatter(JsonFormatter(fields, rename_fields=_NAMES))
    handler.addFilter(CorrelationIdFilter())
    handler.addFilter(IdentityFilter(settings.SECRET_KEY))
