"""The process that runs workflows and activities. Start as many as wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import ProgrammingError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities import activities
from db import deliveries
from db.session import Database
from db.work import given_to_the_gone
from domain.errors import TandemError, Unavailable
from runtime import aio
from runtime.errors import CannotStart
from runtime.sandbox import ContextFreeSandboxRunner
from runtime.settings import Settings
from runtime.temporal_client import connect, ensure_search_attributes
from workflows.approval_tell import tell_deal
from workflows.courier_wake import wake_courier
from workflows.leavers import tell_person_left
from workflows.registry import WORKFLOWS

PATIENCE = 60.0
"""Seconds to wait at the start for Temporal, and for the database to be migrated.

Containers of one deployment start in any order.
"""
GRACE = timedelta(seconds=3)
"""What running activities have to finish when the worker is told to stop."""

LAST = timedelta(seconds=15)
"""After that it ends whatever still runs: a step that fails and is tried for ever has no other end."""

LOOK_ROUND = timedelta(minutes=10)
"""How often it is looked for what was written when Temporal could not be told: who waits for a courier
that sleeps, and who has left and has something to do on a deal still."""

NOT_MIGRATED = timedelta(seconds=5)
"""How soon it is looked again where the database is not migrated yet."""

log = structlog.get_logger()


def build(client: Client, database: Database, settings: Settings) -> Worker:
    """The worker of this process, with everything that it can do."""
    wake = partial(wake_courier, client, settings.task_queue)
    tell = partial(tell_deal, client)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=activities(database, settings, wake, tell),
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
            async with build(client, database, settings), nobody_forgotten(client, database, settings):
                log.info("working", task_queue=settings.task_queue, namespace=client.namespace)
                await stop.wait()
                giving_up = asyncio.get_running_loop().call_later(LAST.total_seconds(), _give_up)
        giving_up.cancel()
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def nobody_forgotten(client: Client, database: Database, settings: Settings) -> AsyncIterator[None]:
    """Now and then, tell processes what they were not told, while the block lasts.

    Whoever writes a notice wakes its courier, and whoever lets a person go tells their deals. This is
    for what was written when Temporal could not be told, and for what is older than the telling.
    """
    task = asyncio.create_task(_look_for_ever(client, database, settings))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _look_for_ever(client: Client, database: Database, settings: Settings) -> None:
    clock = asyncio.get_running_loop().time
    patient_until = clock() + PATIENCE
    while True:
        pause = LOOK_ROUND
        try:
            await _tell_the_forgotten(client, database, settings)
        except (TandemError, ProgrammingError, RPCError) as away:
            # The database or Temporal is away, or not migrated yet: what waits is there when they are back.
            if isinstance(away, ProgrammingError) and clock() < patient_until:
                pause = NOT_MIGRATED
            else:
                log.warning("forgotten.not_told", why=type(away).__name__)
        await asyncio.sleep(pause.total_seconds())


async def _tell_the_forgotten(client: Client, database: Database, settings: Settings) -> None:
    async with database.read() as session:
        overdue = await deliveries.overdue(session, datetime.now(UTC))
        left = await given_to_the_gone(session)
    for user_id in overdue:
        await _tell(wake_courier(client, settings.task_queue, user_id), courier=user_id)
    for deal, person in left:
        await _tell(tell_person_left(client, deal, person), opportunity=deal)


async def _tell(telling: Awaitable[None], **whom: UUID) -> None:
    """Tell one process. Raises `RPCError` where Temporal is away: then the others cannot be told either."""
    try:
        await telling
    except RPCError as error:
        if error.status in {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED}:
            raise
        whose = {kind: str(id_) for kind, id_ in whom.items()}
        log.warning("forgotten.not_told", why=error.status.name, **whose)


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
