"""What routes work with: the database and the workflow engine, opened once for each process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client
from temporalio.service import RPCError

from api.limits import SignInThrottle
from db.session import Database
from db.watch import TimelineWatch
from domain.errors import Unavailable
from runtime.errors import CannotStart
from runtime.links import Links
from runtime.settings import Settings
from runtime.temporal_client import connect

CONNECT_TIMEOUT_SECONDS = 5.0


class TemporalGate:
    """The one client of this process. It connects at first use, so that the API starts without Temporal."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def client(self) -> Client:
        """The client. Raises `Unavailable` while Temporal is away."""
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    self._client = await self._connect()
        return self._client

    async def ping(self) -> None:
        """Ask Temporal for a sign of life. Raises `Unavailable`."""
        client = await self.client()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                healthy = await client.service_client.check_health()
        except (RPCError, RuntimeError, TimeoutError, OSError) as away:
            raise _away() from away
        if not healthy:
            raise _away()

    async def _connect(self) -> Client:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                return await connect(self._settings)
        except (Unavailable, CannotStart, RuntimeError, TimeoutError, OSError) as away:
            raise _away() from away


def _away() -> Unavailable:
    return Unavailable("The workflow engine does not answer; nothing was changed. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may need that outlives a request."""

    settings: Settings
    database: Database
    temporal: TemporalGate
    watch: TimelineWatch
    links: Links
    throttle: SignInThrottle = field(default_factory=SignInThrottle)


def services_of(request: Request) -> Services:
    """The services of the application that serves this request."""
    services: Services = request.app.state.services
    return services


# Dependencies are coroutines also where they wait for nothing: FastAPI sends plain functions to a thread.
async def _services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]


async def _database(services: ServicesDep) -> Database:
    return services.database


async def _temporal(services: ServicesDep) -> Client:
    return await services.temporal.client()


DatabaseDep = Annotated[Database, Depends(_database)]
TemporalDep = Annotated[Client, Depends(_temporal)]
"""The Temporal client; a route that takes it answers 503 while Temporal is away."""
