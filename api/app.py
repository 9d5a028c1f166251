"""The application: what is opened once, what surrounds every request, and the routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from asgi_cross_origin_protection import CrossOriginProtection
from fastapi import FastAPI
from starlette.types import ASGIApp

from api import health, openapi, problems, sessions, v1, web
from api.housekeeping import housekeeping
from api.limits import RateLimit
from api.middleware import BodyLimit, Envelope, UnlessAuthorized, deny_cross_origin
from api.services import Services, TemporalGate
from db.session import Database
from db.watch import TimelineWatch
from runtime.errors import CannotStart
from runtime.links import Links
from runtime.settings import Settings, load

DESCRIPTION = """\
Tandem's REST API. Send an API key as `Authorization: Bearer tdm_…`.

Errors are RFC 9457 problem documents. Every POST takes an `Idempotency-Key`. A single resource has its
version as `ETag`; send it as `If-Match` with a change. Lists come in pages: follow `next_cursor`.
"""


_BY_LINK = ("/decide", "/unsubscribe")
"""Where a token says who acts, and no cookie does: nothing that a browser adds by itself
counts there. The page hides where it comes from, so that the browser could not tell either."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API and the pages over the settings given, or those of the environment.

    The database and Temporal may be away when it starts; requests that need
    them answer 503 until they are back.
    """
    settings = settings or load()
    app = FastAPI(
        title="Tandem",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings),
        responses=problems.RESPONSES,
    )
    problems.install(app)
    openapi.describe(app)
    v1.install(app)
    app.include_router(health.router)
    web.install(app)
    _surround(app, settings)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.database_url is None:
            raise CannotStart("Set TANDEM_DATABASE_URL, or start everything with: tandem up")
        database = Database(settings.database_url)
        watch = TimelineWatch(settings.database_url)
        app.state.services = Services(
            settings=settings,
            database=database,
            temporal=TemporalGate(settings),
            watch=watch,
            links=Links(settings),
        )
        try:
            async with housekeeping(database):
                yield
        finally:
            await watch.close()
            await database.close()

    return lifespan


def _surround(app: FastAPI, settings: Settings) -> None:
    """Middleware; what is added last is outermost."""
    app.add_middleware(_same_origin)
    app.add_middleware(BodyLimit)
    app.add_middleware(RateLimit, limit=settings.rate_limit, cookie=sessions.COOKIE)
    app.add_middleware(Envelope)


def _same_origin(app: ASGIApp) -> ASGIApp:
    return UnlessAuthorized(
        app, guarded=CrossOriginProtection(app, deny_app=deny_cross_origin, exempt_paths=_BY_LINK)
    )
