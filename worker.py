"""The process that runs workflows and activities. Start as many as wanted."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities import activities
from activities.postman import mailing
from db.session import Database
from domain.errors import Unavailable
from runtime import aio
from runtime.errors import CannotStart
from runtime.sandbox import ContextFreeSandboxRunner
from runtime.settings import Settings
from runtime.temporal_client import connect, ensure_search_attributes
from workflows import WORKFLOWS

PATIENCE = 60.0
"""Seconds to wait for Temporal at the start: containers of one deployment start in any order."""
GRACE = timedelta(seconds=3)
"""What running activities have to finish when the worker is told to stop."""

LAST = timedelta(seconds=15)
"""After that it ends whatever still runs: a step that fails and is tried for ever has no other end."""

log = structlog.get_logger()


def build(client: Client, database: Database, settings: Settings) -> Worker:
    """The worker of this process, with everything that it can do."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=activities(database, mails=settings.smtp_url is not None),
        workflow_runner=ContextFreeSandboxRunner(),
        graceful_shutdown_timeout=GRACE,
    )


async def work(settings: Settings) -> None:
    """Work until told to stop.

    Raises:
        CannotStart: no database is set, or no Temporal.
        Unavailable: Temporal did not answer for a minute.
    """
    if settings.database_url is None:
        raise CannotStart("No database is known: start one with `tandem up`, or set TANDEM_DATABASE_URL.")
    database = Database(settings.database_url)
    try:
        with aio.stop_signals() as stop:
            client = await _patiently(settings)
            await ensure_search_attributes(client)
            async with build(client, database, settings), mailing(settings, database):
                log.info("working", task_queue=settings.task_queue, namespace=client.namespace)
                await stop.wait()
                giving_up = asyncio.get_running_loop().call_later(LAST.total_seconds(), _give_up)
        giving_up.cancel()
    finally:
        await database.close()


def _give_up() -> None:
    """End the process. Nothing is lost: what it had not finished, another worker does again."""
    log.warning("stopped in the middle of a step", after_seconds=LAST.total_seconds())
    os._exit(0)


async def _patiently(settings: Settings) -> Client:
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await connect(settings)
        except Unavailable:
            if asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(0.5)
