"""How large the body of a request may be."""

from starlette.datastructures import Headers
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware that answers 413 where a body has more than `max_body_size` bytes.

    One that says so in Content-Length is refused before anything of it is read, and before the
    route does anything. Starlette counts the others as they are read; its own answer to
    Content-Length comes after a route that reads no body, and is not JSON.
    """

    def __init__(self, app: ASGIApp, *, max_body_size: int) -> None:
        self._counting = RequestBodyLimitMiddleware(app, max_body_size=max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        length = Headers(scope=scope).get("Content-Length", "") if scope["type"] == "http" else ""
        # What is not a number is the server's to refuse. Python makes none of thousands of digits.
        if length.isdecimal() and int(length[:20]) > self._counting.max_body_size:
            refusal = JSONResponse({"detail": "Content Too Large"}, status_code=413)
            await refusal(scope, receive, send)
            return
        await self._counting(scope, receive, send)
