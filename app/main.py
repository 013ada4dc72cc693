"""The application: `fastapi run app/main.py` serves `app`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

import hedgerow.fastapi
from app.api.body_limit import BodyLimit
from app.api.errors import install_error_handlers, refusals
from app.api.main import api_router
from app.core.config import settings
from app.core.counters import close_counters
from app.core.db import close_async_connections, shutdown, startup
from app.core.logs import configure_logging, log_environment
from app.core.project import project
from app.core.traces import AddressFreeSpans
from hedgerow import HedgerowError
from hedgerow.fastapi import IdentityObserver


def name_operation(route: APIRoute) -> str:
    """Name an operation after its tag and function: client generators build names from it."""
    return "-".join([*map(str, route.tags[:1]), route.name])


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Prepare the database before the first request, and close its connections after the last."""
    configure_logging()
    log_environment()
    try:
        await run_in_threadpool(startup)
    except HedgerowError:
        sys.tracebacklimit = 0  # this process ends here, and the message says it all
        raise
    try:
        yield
    finally:
        await close_counters()
        await close_async_connections()
        await run_in_threadpool(shutdown)


def create_app() -> FastAPI:
    """Build the application from the settings."""
    app = FastAPI(
        title=settings.PROJECT_NAME,
        # Without the document there are no pages that show it.
        openapi_url=f"{settings.API_V1_STR}/openapi.json" if settings.API_DOCS_ENABLED else None,
        generate_unique_id_function=name_operation,
        responses=refusals(413),
        lifespan=lifespan,
    )
    # Added first, so that its answers too have the headers of those below.
    app.add_middleware(BodyLimit, max_body_size=settings.MAX_BODY_SIZE)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.all_cors_origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(AddressFreeSpans)
    app.add_middleware(IdentityObserver, key=settings.SECRET_KEY)
    # Added last, so it sees a request first: its id goes to the audit trail and to the answer.
    app.add_middleware(CorrelationIdMiddleware)
    install_error_handlers(app)
    hedgerow.fastapi.install_error_handlers(app)
    if settings.ENVIRONMENT == "local":
        hedgerow.fastapi.explain_refusals(app, project)
    app.include_router(api_router, prefix=settings.API_V1_STR)
    return app


app = create_app()
