"""A stack of its own for measuring: durable PostgreSQL, Temporal, and one process each for the rest."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from temporalio.client import Client

from db.migrate import upgrade
from db.session import Database
from ops.keys import create_key
from ops.setup import setup
from runtime import processes
from runtime.postgres import embedded_postgres
from runtime.settings import Settings
from runtime.temporal_client import connect
from runtime.temporal_server import embedded_temporal, free_port

ADMIN = "admin@vendor.example"


@dataclass
class Bench:
    """What a measurement talks to."""

    settings: Settings
    database: Database
    temporal: Client
    http: httpx.AsyncClient


@contextlib.asynccontextmanager
async def bench_stack(*, workers: bool = True) -> AsyncIterator[Bench]:
    """Everything running, an administrator with a key, the shipped playbooks published."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        home = Path(folder)
        async with contextlib.AsyncExitStack() as stack:
            url = await stack.enter_async_context(embedded_postgres(home))
            address = await stack.enter_async_context(embedded_temporal(home))
            await asyncio.to_thread(upgrade, url)
            settings = Settings(
                home=home,
                database_url=url,
                temporal_address=address,
                port=free_port(),
                rate_limit="10000000/minute",
            )
            env = {
                "TANDEM_HOME": str(home),
                "TANDEM_DATABASE_URL": url,
                "TANDEM_TEMPORAL_ADDRESS": address,
                "TANDEM_PORT": str(settings.port),
                "TANDEM_RATE_LIMIT": settings.rate_limit,
                "TANDEM_LOG_LEVEL": "warning",
            }
            commands = [["-m", "cli", "api"]]
            if workers:
                commands += [["-m", "cli", "worker"], ["-m", "tests.bench.bare"]]
            for command in commands:
                child = await processes.start([sys.executable, *command], name=command[-1], env=env)
                await stack.enter_async_context(processes.running(child))
            database = Database(url)
            stack.push_async_callback(database.close)
            await setup(database, vendor="Vendor", email=ADMIN, name="Alex Admin", password="measured well")
            token = await create_key(database, email=ADMIN, name="bench")
            http = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=settings.url,
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=60,
                    limits=httpx.Limits(max_connections=80, max_keepalive_connections=80),
                )
            )
            await _answers(http)
            yield Bench(settings, database, await connect(settings), http)


async def _answers(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await http.get("/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)
