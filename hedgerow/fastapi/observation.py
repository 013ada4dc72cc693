"""Add the role and the user of a request to logs and to FastAPI's own OpenTelemetry.

The user appears as a keyed hash: who reads logs can tell that two lines are of one user, and not of
which.
"""

import hashlib
import hmac
import logging

from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hedgerow.config.identity import Identity
from hedgerow.sessions.observation import Observed, observed

_ANSWERS = {"http.response.start", "websocket.accept", "websocket.close"}


def user_hash(identity: Identity, key: str) -> str:
    """Return 16 hexadecimal digits that stand for the user; others for each `key`."""
    digest = hmac.digest(key.encode(), str(identity.user_id).encode(), hashlib.sha256)
    return digest.hex()[:16]


class IdentityObserver:
    """ASGI middleware that observes each request, and tells its span.

    The span gets `user.hash` and `user.roles`, as OpenTelemetry's semantic conventions name them
    (registry, attributes of user), as the answer begins. `key` is any secret: with it, and
    a list of all users, the hashes could be told apart.
    """

    def __init__(self, app: ASGIApp, *, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        holder = Observed()
        token = observed.set(holder)

        async def send_and_tell(message: Message) -> None:
            # FastAPI ends the span with the last message, so this is the time to tell it.
            if message["type"] in _ANSWERS and holder.identity is not None:
                span = trace.get_current_span()
                span.set_attribute("user.hash", user_hash(holder.identity, self._key))
                span.set_attribute("user.roles", [holder.identity.role.value])
            await send(message)

        try:
            await self._app(scope, receive, send_and_tell)
        finally:
            observed.reset(token)


class IdentityFilter(logging.Filter):
    """Give each log record `role` and `user_hash`, None where no identity is known yet.

    A record has `tenant_id` where the identity has one.
    """

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; keep every record."""
        holder = observed.get()
        identity = holder.identity if holder is not None else None
        record.role = identity.role.value if identity else None
        record.user_hash = user_hash(identity, self._key) if identity else None
        if identity is not None and identity.tenant_id is not None:
            record.tenant_id = str(identity.tenant_id)
        return True
