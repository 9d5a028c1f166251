"""Forgetting what has had its time: answers kept for repeated requests, ended sessions, old notices.

Every API process does it now and then; that several do it at once harms nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from db import idempotency, notices, sessions
from db.session import Database
from domain.errors import Unavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


@asynccontextmanager
async def housekeeping(database: Database, every: timedelta = EVERY) -> AsyncIterator[None]:
    """Tidy up while the block lasts, first at once."""
    task = asyncio.create_task(_forever(database, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def tidy(database: Database, now: datetime) -> None:
    """Forget what is too old at this instant."""
    async with database.transaction() as session:
        await idempotency.purge(session, now)
        await sessions.purge(session, now)
        await notices.purge(session, now)


async def _forever(database: Database, every: timedelta) -> None:
    while True:
        try:
            await tidy(database, datetime.now(UTC))
        except Unavailable:
            log.warning("housekeeping.put_off")  # next time
        except Exception:
            log.exception("housekeeping.failed")  # such as tables that are not migrated yet: next time, too
        await asyncio.sleep(every.total_seconds())
