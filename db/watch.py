"""Being woken when the timeline or somebody's notices grow: one LISTEN connection for each process.

A wake-up carries nothing: who is woken reads the feed from its own place, so
that a lost one costs a moment and never an event.
"""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from db import notices
from db.recording import CHANNEL
from db.session import PATIENCE

RETRY_SECONDS = 1.0

log = structlog.get_logger()


class TimelineWatch:
    """Wakes whoever waits, when anything is recorded or told. Listens from the first wait on.

    Once it is `released`, nobody should wait any more: the process is about to stop.
    """

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql")
        self._conninfo = plain.render_as_string(hide_password=False)
        self._grown = asyncio.Condition()
        self._wakes = 0
        self.told = 0
        """How often somebody's notices have changed so far; each is a wake-up, too."""
        self.released = False
        self._task: asyncio.Task[None] | None = None

    @property
    def wakes(self) -> int:
        """How often it has woken so far: take it before reading, give it to `wait`."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="timeline watch")
        return self._wakes

    async def wait(self, seen: int, timeout: float) -> bool:  # noqa: ASYNC109 -- no error when it passes
        """Wait until there was a wake-up after `seen`; False when `timeout` seconds pass without one."""
        async with self._grown:
            try:
                async with asyncio.timeout(timeout):
                    await self._grown.wait_for(lambda: self._wakes != seen)
            except TimeoutError:
                return False
        return True

    async def release(self) -> None:
        """Wake everybody for the last time."""
        self.released = True
        await self._wake()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _wake(self) -> None:
        async with self._grown:
            self._wakes += 1
            self._grown.notify_all()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as away:
                log.warning("not listening to the timeline", error=str(away))
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            make_conninfo(self._conninfo, **PATIENCE), autocommit=True
        )
        async with connection:
            for channel in (CHANNEL, notices.CHANNEL):
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.told += 1
            await self._wake()  # what was recorded before this moment was not announced
            async for heard in connection.notifies():
                self.told += heard.channel == notices.CHANNEL
                await self._wake()
