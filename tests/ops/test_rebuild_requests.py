"""`tandem doctor --rebuild`: the rows of a deal's requests, restored from their workflows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlmodel import col
from temporalio.client import Client

from db.session import Database
from db.tables import ApprovalRow, ApprovalSeatRow, TimelineRow
from ops.rebuild import rebuild
from tests.deal_desk import a_desk
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

TABLES: dict[Any, Any] = {
    TimelineRow: TimelineRow.stream_id,
    ApprovalRow: ApprovalRow.id,
    ApprovalSeatRow: ApprovalSeatRow.approval_id,
}


async def stored(database: Database, approval_id: UUID) -> dict[str, list[Any]]:
    """What is stored of the request, without the feed's own numbers."""
    found: dict[str, list[Any]] = {}
    async with database.read() as session:
        for model, key in TABLES.items():
            own = {"position", "transaction"}
            columns = [each for each in model.__table__.columns if each.name not in own]
            rows = await session.execute(select(*columns).where(col(key) == approval_id))
            found[model.__name__] = sorted((tuple(row) for row in rows), key=repr)
    return found


@pytest.mark.parametrize("ended", [False, True], ids=["open", "ended"])
async def test_the_requests_of_a_deal_come_back_with_it(
    as_: ClientFor, database: Database, people: People, temporal: Client, ended: bool
):
    desk = await a_desk(as_, database, people)
    asked = await desk.asked("27.5")
    await desk.done("desk@vendor.example", asked, "reject" if ended else "approve", comment="Seen.")
    request, deal = UUID(asked["id"]), UUID(asked["subject"]["opportunity_id"])
    before = await stored(database, request)
    assert len(before["TimelineRow"]) == 4
    async with database.transaction() as session:
        for model, key in TABLES.items():
            await session.execute(delete(model).where(col(key) == request))
    await rebuild(database, temporal, deal)
    assert await stored(database, request) == before
