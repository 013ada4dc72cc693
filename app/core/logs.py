"""The log's format: text lines, or JSON; without the addresses of people."""

import logging
import re
from typing import Final

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


_BETWEEN: Final = r"\s/?&=:;,<>()\[\]{}\""
_ADDRESS: Final = re.compile(
    # Tried only where a word begins: a long one without an @ takes no longer than it is long.
    rf"(?<![^{_BETWEEN}])[^{_BETWEEN}]+(?:@|%40)(?:[^{_BETWEEN}'\\]|\\[ux][0-9a-f]+)+"
)
"""An e-mail address, also as it stands in a path, in JSON or in the repr of bytes."""

logger = logging.getLogger(__name__)


def without_addresses(text: str) -> str:
    """Return the text with `(address)` in the place of each e-mail address."""
    return _ADDRESS.sub("(address)", text)


class AddressFreeFormatter(logging.Formatter):
    """Writes what another formatter would, without e-mail addresses.

    Paths hold addresses (that of a password recovery does), and so do the messages of a database or
    a mail server, and tracebacks. So it is the line that is looked at.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return without_addresses(self._formatter.format(record))


def log_environment() -> None:
    """Warn where ENVIRONMENT is `local` and may not be meant so."""
    if sentence := settings.environment_to_confirm:
        logger.warning(sentence)


def configure_logging() -> None:
    """Set the log's format, without addresses; in JSON with request, role and hashed user.

    With LOG_FORMAT=json the server's own handlers, which exist by then, write JSON too.
    """
    # Without a handler, Python would show no message of the application's below WARNING.
    logging.basicConfig(format="%(levelname)s: %(name)s: %(message)s")
    logging.getLogger("app").setLevel(logging.INFO)
    for name in (None, *_SERVER_LOGGERS):
        for handler in logging.getLogger(name).handlers:
            if settings.LOG_FORMAT == "json":
                _write_json(handler)
            _leave_addresses_out(handler)


def _write_json(handler: logging.Handler) -> None:
    fields = " ".join(f"%({name})s" for name in _NAMES)
    handler.setFormatter(JsonFormatter(fields, rename_fields=_NAMES))
    handler.addFilter(CorrelationIdFilter())
    handler.addFilter(IdentityFilter(settings.SECRET_KEY))


def _leave_addresses_out(handler: logging.Handler) -> None:
    formatter = handler.formatter or logging.Formatter()
    if not isinstance(formatter, AddressFreeFormatter):
        handler.setFormatter(AddressFreeFormatter(formatter))
