"""Forgetting what has had its time: answers kept for repeated requests, ended sessions, old notices.

What has grown by small pieces, the totals of the pipeline, is put together here, too. Every API
process does it now and then; that several do it at once harms nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from db import idempotency, notices, pipeline_totals, sessions
from db.session import Database
from domain.errors import Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
FOLD_EVERY = timedelta(seconds=20)
"""How often the totals of the pipeline are made few again: each change adds to what a board has to add up."""


@asynccontextmanager
async def housekeeping(
    database: Database, every: timedelta = EVERY, *, fold_every: timedelta = FOLD_EVERY
) -> AsyncIterator[None]:
    """Tidy up while the block lasts, first at once."""
    tasks = [
        asyncio.create_task(_forever(lambda: tidy(database, datetime.now(UTC)), every)),
        asyncio.create_task(_forever(lambda: fold(database), fold_every)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def tidy(database: Database, now: datetime) -> None:
    """Forget what is too old at this instant."""
    async with database.transaction() as session:
        await idempotency.purge(session, now)
        await sessions.purge(session, now)
        await notices.purge(session, now)


async def fold(database: Database) -> None:
    """Make the totals of the pipeline few again."""
    async with database.transaction() as session:
        await pipeline_totals.fold(session)


async def _forever(work: Callable[[], Awaitable[None]], every: timedelta) -> None:
    while True:
        try:
            await work()
        except Unavailable:
            log.warning("housekeeping.put_off")  # next time
        except Exception:
            log.exception("housekeeping.failed")  # such as tables that are not migrated yet: next time, too
        await asyncio.sleep(every.total_seconds())
