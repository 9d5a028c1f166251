"""`tandem doctor --rebuild`: the rows of a deal, restored from its workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update
from sqlmodel import col
from temporalio.client import Client

from activities.record import RecordActivities
from db.session import Database
from db.tables import OpportunityPartnerRow, OpportunityRow, TimelineRow, WorkItemRow
from domain.errors import NotFound
from domain.opportunity import commands as ask
from domain.opportunity.state import LoseReason
from ops.doctor import rebuild_opportunity
from ops.rebuild import rebuild
from runtime.ids import new_id
from runtime.settings import Settings
from tests.factories import ASTER, BOREALIS, SELLER
from tests.replay.make import impatient
from tests.workflows.play import Played, a_worker

TABLES = {
    TimelineRow: TimelineRow.stream_id,
    OpportunityRow: OpportunityRow.id,
    OpportunityPartnerRow: OpportunityPartnerRow.opportunity_id,
    WorkItemRow: WorkItemRow.opportunity_id,
}


async def stored(database: Database, deal: Played) -> dict[str, list[Any]]:
    """What is stored of the deal, without the feed's own numbers."""
    found: dict[str, list[Any]] = {}
    async with database.read() as session:
        for model, key in TABLES.items():
            columns = [
                column
                for column in model.__table__.columns  # type: ignore[attr-defined]  # SQLModel does not declare it
                if column.name not in {"position", "transaction"}
            ]
            rows = await session.execute(select(*columns).where(col(key) == deal.id))
            found[model.__name__] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def wipe(database: Database, deal: Played) -> None:
    async with database.transaction() as session:
        for model, key in TABLES.items():
            await session.execute(delete(model).where(col(key) == deal.id))


@pytest_asyncio.fixture
async def deal(temporal: Client, worker: None) -> Played:
    return await Played(temporal).open(partners=(ASTER, BOREALIS))


async def test_rows_that_are_gone_come_back(deal: Played, database: Database, temporal: Client):
    await deal.complete("share-profile", by=SELLER)
    before = await stored(database, deal)
    await wipe(database, deal)
    outcome = await rebuild(database, temporal, deal.id)
    assert await stored(database, deal) == before
    assert [entry.sequence for entry in outcome.entries] == [1, 2, 3]


async def test_rows_that_are_wrong_are_put_right(deal: Played, database: Database, settings: Settings):
    before = await stored(database, deal)
    wrong = {"version": 900, "title": "Mangled", "status": "lost", "closed": True, "state": {}}
    async with database.transaction() as session:
        await session.execute(update(OpportunityRow).where(col(OpportunityRow.id) == deal.id).values(**wrong))
        await session.execute(
            delete(OpportunityPartnerRow).where(col(OpportunityPartnerRow.opportunity_id) == deal.id)
        )
        await session.execute(
            delete(TimelineRow).where(col(TimelineRow.stream_id) == deal.id, col(TimelineRow.sequence) == 1)
        )
    said = await rebuild_opportunity(settings, deal.id)
    assert said == "“ERP rollout” is restored at version 2, with 2 events."
    assert await stored(database, deal) == before


async def test_a_deal_that_was_lost_and_reopened_gets_all_of_its_story(
    deal: Played, database: Database, temporal: Client
):
    await deal.ask(ask.Lose(reason=LoseReason.PRICE))
    await deal.ended()
    before = await stored(database, deal)
    await wipe(database, deal)
    await rebuild(database, temporal, deal.id)
    assert await stored(database, deal) == before, "also while it is closed"
    await deal.wake(await deal.deal(), ask.Reopen())
    before = await stored(database, deal)
    await wipe(database, deal)
    await rebuild(database, temporal, deal.id)
    assert await stored(database, deal) == before


@pytest_asyncio.fixture
async def long_deal(database: Database) -> AsyncIterator[Played]:
    """On a server that asks for a new run soon, with a worker of its own."""
    record = RecordActivities(database)
    async with impatient() as server, a_worker(server.client, "tandem", record):
        yield await Played(server.client).open()


async def test_a_deal_of_several_runs_gets_all_of_its_story(long_deal: Played, database: Database):
    for number in range(16):
        await long_deal.ask(ask.AddNote(text=f"Note {number}"))
    before = await stored(database, long_deal)
    await wipe(database, long_deal)
    outcome = await rebuild(database, long_deal.client, long_deal.id)
    assert len(outcome.entries) == 18
    assert await stored(database, long_deal) == before


async def test_a_deal_that_temporal_does_not_know_is_said(settings: Settings):
    with pytest.raises(NotFound, match="Temporal knows no workflow of the opportunity"):
        await rebuild_opportunity(settings, new_id())
