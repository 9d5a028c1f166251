"""The rows of calendars: what deals bring along that ran before there were any."""

from __future__ import annotations

import importlib
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text
from sqlmodel import col

from db.session import Database
from db.tables import AgendaItemRow
from domain.playbook import Playbook
from tests.calendars import Diary
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")


async def rows(database: Database, deals: list[UUID]) -> list[dict[str, Any]]:
    statement = select(AgendaItemRow).where(col(AgendaItemRow.opportunity_id).in_(deals))
    async with database.read() as session:
        found = (await session.execute(statement)).scalars().all()
    return sorted((row.model_dump() for row in found), key=str)


async def test_deals_that_ran_before_there_were_calendars_bring_their_deadlines_along(
    as_: ClientFor, people: People, playbook: Playbook, database: Database
):
    diary = Diary(as_, people, playbook)
    rep = await diary.rep()
    deals = [await diary.open(rep, title) for title in ("Open", "Held", "Given", "Lost")]
    await diary.do(rep, deals[1], "hold", reason="Freeze", until="2031-01-01T00:00:00Z")
    await diary.do(rep, deals[2], "tasks/confirm-budget/assign", user_id=str(rep.id))
    await diary.do(rep, deals[3], "lose", reason="price")
    ids = [UUID(deal["id"]) for deal in deals]
    before = await rows(database, ids)
    assert len(before) == 5 + 1 + 5
    migration = importlib.import_module("migrations.versions.0008_agenda_and_calendar_feeds")
    async with database.transaction() as session:
        await session.execute(delete(AgendaItemRow))
        for statement in migration.FILL:
            await session.execute(text(statement))
        after = await session.execute(select(AgendaItemRow).where(col(AgendaItemRow.opportunity_id).in_(ids)))
        assert sorted((row.model_dump() for row in after.scalars()), key=str) == before
        await session.rollback()
