"""The API and a worker as processes of their own, to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest_asyncio

from db.session import Database
from domain.playbook import Playbook
from runtime import processes
from runtime.ids import new_id
from runtime.settings import Settings
from runtime.temporal_server import free_port
from tests.chaos.crowd import Site
from tests.stack import People


class Processes:
    """An API and a worker over the suite's servers, on a task queue of their own."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.port = free_port()
        self._logs = logs
        self._running: dict[str, processes.Child] = {}
        self._env = {
            "TANDEM_HOME": str(settings.home),
            "TANDEM_PORT": str(self.port),
            "TANDEM_DATABASE_URL": settings.database_url or "",
            "TANDEM_TEMPORAL_ADDRESS": settings.temporal_address or "",
            "TANDEM_TASK_QUEUE": f"chaos-{new_id()}",
            "TANDEM_RATE_LIMIT": settings.rate_limit,
        }

    async def start(self, *roles: str) -> None:
        for role in roles:
            self._running[role] = await processes.start(
                [sys.executable, "-P", "-m", "cli", role],
                name=role,
                log=self._logs / f"{role}.log",
                env=self._env,
            )

    async def kill(self, *roles: str) -> None:
        """End them as a power cut would: no signal that they could hear."""
        for role in roles:
            self._running[role].process.send_signal(signal.SIGKILL)
        for role in roles:
            assert await self._running.pop(role).wait() == -signal.SIGKILL

    async def stop(self) -> None:
        for child in self._running.values():
            await child.stop()

    async def answering(self) -> None:
        """Wait until the API is ready."""
        async with asyncio.timeout(60), httpx.AsyncClient() as nobody:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await nobody.get(f"http://127.0.0.1:{self.port}/readyz")).is_success:
                        return
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="session")
async def site(
    settings: Settings,
    database: Database,
    people: People,
    playbook: Playbook,
    tmp_path_factory,
) -> AsyncIterator[Site]:
    """A running site with an API and a worker that may be killed."""
    running = Processes(settings, tmp_path_factory.mktemp("chaos"))
    pids = {child.pid for child in psutil.Process().children()}
    try:
        await running.start("worker", "api")
        await running.answering()
        yield Site(running, database, people, playbook, f"http://127.0.0.1:{running.port}/api/v1")
    finally:
        await running.stop()
    left = [child for child in psutil.Process().children() if child.pid not in pids]
    assert not [child for child in left if "cli" in child.cmdline()]
