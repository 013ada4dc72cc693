"""Read an application's routes, with what each depends on."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI, routing

from hedgerow.errors import ConfigurationError
from hedgerow.lint.model import Route


def routes_of(application: object) -> tuple[Route, ...]:
    """Return the routes that FastAPI calls with dependencies, WebSockets among them.

    Raises ConfigurationError where `application` is not a FastAPI application.
    """
    if not isinstance(application, FastAPI):
        kind = type(application).__name__
        raise ConfigurationError(
            f"application in [tool.hedgerow] is of type {kind}: name a FastAPI."
        )
    # Later versions keep an included router as one entry, and have this to look inside.
    flatten = getattr(routing, "iter_route_contexts", list)
    return tuple(_read(route) for route in flatten(application.routes) if _dependant(route))


def _dependant(route: Any) -> Any:
    return getattr(route, "dependant", None)


def _read(route: Any) -> Route:
    methods = sorted(getattr(route, "methods", None) or ["WEBSOCKET"])
    dependencies = tuple(call for call in _calls(_dependant(route)) if call is not route.endpoint)
    return Route(f"{','.join(methods)} {route.path}", route.endpoint, dependencies)


def _calls(dependant: Any) -> Iterator[Callable[..., object]]:
    if dependant.call is not None:
        yield dependant.call
    for dependency in dependant.dependencies:
        yield from _calls(dependency)
