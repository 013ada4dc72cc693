"""FastAPI's own spans, without the addresses of people."""

from opentelemetry import trace
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.logs import without_addresses


class AddressFreeSpans:
    """ASGI middleware that takes e-mail addresses out of the path that a request's span has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (path := without_addresses(scope["path"])) != scope["path"]:
            trace.get_current_span().set_attribute("url.path", path)
        await self._app(scope, receive, send)
