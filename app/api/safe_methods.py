"""GET, HEAD and OPTIONS only read: their transactions are READ ONLY, whoever asks.

SQL that is injected into them cannot write then, in tables without policies either. A route that
writes in one on purpose, such as a link in an e-mail that confirms an address, says so.
"""

from typing import Annotated, Final

from fastapi import Depends
from fastapi.requests import HTTPConnection

from hedgerow import ConfigurationError
from hedgerow.fastapi import SAFE_METHODS


async def get_read_only(connection: HTTPConnection) -> bool:
    """Return whether the request's transactions are READ ONLY: its method says so."""
    if getattr(connection.state, "may_write", False):
        return False
    connection.state.read_only = connection.scope.get("method") in SAFE_METHODS
    return bool(connection.state.read_only)


ReadOnly = Annotated[bool, Depends(get_read_only)]


async def may_write(connection: HTTPConnection) -> None:
    """Let a route write in a GET, HEAD or OPTIONS request: `dependencies=[MayWrite]`.

    It stands in the route's decorator, before whatever asks for a session; later it is an error.
    """
    if getattr(connection.state, "read_only", False):
        raise ConfigurationError(
            "MayWrite comes too late: this request's session is READ ONLY already. Put it first:"
            " `dependencies=[MayWrite]` in the route's decorator, or, where a dependency of the"
            " router or the application asks for a session, before that one."
        )
    connection.state.may_write = True


MayWrite: Final = Depends(may_write)
