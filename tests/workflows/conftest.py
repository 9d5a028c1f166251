"""A server whose clock is ours, with a worker on the suite's real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities.record import RecordActivities
from db.session import Database
from tests.workflows.play import Played, a_worker, skipping


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """One for each test: its clock is everybody's."""
    async with skipping() as environment:
        yield environment


@pytest_asyncio.fixture
async def deal(server: WorkflowEnvironment, database: Database) -> AsyncIterator[Played]:
    """A deal that is not opened yet, and a worker that records in PostgreSQL."""
    record = RecordActivities(database)
    played = Played(server.client)
    async with a_worker(server.client, played.queue, record, played.heard):
        yield played
