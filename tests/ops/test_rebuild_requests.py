"""`tandem doctor --rebuild`: the rows of a deal's requests, restored from their workflows."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select
from sqlmodel import col
from temporalio.client import Client

from db.session import Database
from db.tables import ApprovalRow, ApprovalSeatRow, TimelineRow
from ops.rebuild import rebuild
from tests.deal_desk import a_desk
from tests.factories import a_stage
from tests.patience import PATIENCE
from tests.stack import ClientFor, People
from tests.triggers import REVIEW

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


async def test_so_does_what_a_stage_waits_for(
    as_: ClientFor, database: Database, people: People, temporal: Client
):
    book = {
        "key": f"book-{uuid4().hex[:8]}",
        "title": "Reviewed",
        "stages": [a_stage("talk", on_enter=[REVIEW])],
    }
    published = await (await as_("admin@vendor.example")).post("/api/v1/playbooks", json=book)
    assert published.status_code == 201, published.text
    await as_("director@vendor.example")
    rep = await as_("rep@vendor.example")
    body = {"title": "Reviewed", "customer": {"name": f"Acme {uuid4().hex[:8]}"}, "playbook": book["key"]}
    opened = await rep.post("/api/v1/opportunities", json=body)
    assert opened.status_code == 201, opened.text
    deal = UUID(opened.json()["id"])
    waits = (await rep.get(f"/api/v1/opportunities/{deal}/blockers")).json()["items"]
    [request] = [UUID(each["approval_id"]) for each in waits if each["code"] == "approval_pending"]
    before = await recorded(database, request)
    async with database.transaction() as session:
        for model, key in TABLES.items():
            await session.execute(delete(model).where(col(key) == request))
    await rebuild(database, temporal, deal)
    assert await stored(database, request) == before


async def recorded(database: Database, request: UUID) -> dict[str, list[Any]]:
    """The request, once it has said whom it asks: it is a process of its own."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if (await stored(database, request))["ApprovalSeatRow"]:
                return await stored(database, request)  # again: the tables are read one after the other
            await asyncio.sleep(0.05)
