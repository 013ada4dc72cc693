"""Dependencies for asynchronous routes, made from the synchronous ones: one rule, one place."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession


def asynchronous(
    dependency: Callable[..., Any], **annotations: Any
) -> Callable[..., Awaitable[Any]]:
    """Return `dependency` for asynchronous routes.

    `annotations` say, by the names of parameters, what to ask for instead of the synchronous kind.
    The event loop waits for the database while `dependency` works on the plain session; where that
    session is what it returns, the asynchronous one is returned. The trap: generators do not work.
    """

    async def twin(**arguments: Any) -> Any:
        """Do what the synchronous dependency does, for an asynchronous route."""
        session: AsyncSession | None = arguments.pop("session", None)
        if session is None:
            return dependency(**arguments)
        result = await session.run_sync(lambda plain: dependency(session=plain, **arguments))
        return session if result is session.sync_session else result

    signature = inspect.signature(dependency)
    parameters = [
        parameter.replace(annotation=annotations.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    twin.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return twin
