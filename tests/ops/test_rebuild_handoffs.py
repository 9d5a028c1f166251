"""`tandem doctor --rebuild`: a hand-off's rows come back from its process, and its process from the rows."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update
from sqlmodel import col
from temporalio.client import Client, WorkflowExecutionStatus

from db import handoff
from db.session import Database
from db.tables import FollowUpRow, HandOffRow
from domain.handoff.state import Progress
from ops.rebuild import rebuild, revive_handoff
from runtime.settings import Settings
from tests.handoffs import publish_a_short_sale
from tests.patience import PATIENCE
from tests.stack import ClientFor, People
from workflows.handoff_messages import handoff_workflow_id

pytestmark = pytest.mark.usefixtures("worker")


async def accepted(as_: ClientFor, people: People, database: Database) -> UUID:
    """A deal that customer success has accepted; its id."""
    rep, success = await as_("rep@vendor.example"), await as_("success@vendor.example")
    body: dict[str, Any] = {
        "title": "ERP rollout",
        "customer": {"name": "Acme"},
        "playbook": await publish_a_short_sale(database),
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()
    at = f"/api/v1/opportunities/{deal['id']}"
    for who, what, said in (
        (rep, "tasks/call/complete", {}),
        (rep, "win", {}),
        (rep, "tasks/promises/complete", {"note": "None."}),
        (success, "handoff/accept", {}),
    ):
        answer = await who.post(f"{at}/{what}", json=said)
        assert answer.status_code == 200, answer.text
    async with asyncio.timeout(PATIENCE):
        while True:
            if (await success.get(f"{at}/handoff")).json()["follow_ups"]:
                return UUID(deal["id"])
            await asyncio.sleep(0.05)


async def test_its_rows_come_back_from_its_process(
    as_: ClientFor, people: People, database: Database, temporal: Client
):
    deal = await accepted(as_, people, database)
    async with database.read() as session:
        before = await handoff.as_recorded(session, deal)
    async with database.transaction() as session:
        for model in (HandOffRow, FollowUpRow):
            await session.execute(delete(model).where(col(model.opportunity_id) == deal))
    await rebuild(database, temporal, deal)
    async with database.read() as session:
        assert await handoff.as_recorded(session, deal) == before
    success = await as_("success@vendor.example")
    listed = await success.get(f"/api/v1/opportunities/{deal}/handoff/follow-ups")
    assert len(listed.json()["items"]) == 2


async def test_its_process_goes_on_from_its_record_when_it_was_lost(
    as_: ClientFor, people: People, database: Database, temporal: Client, settings: Settings
):
    deal = await accepted(as_, people, database)
    assert not await revive_handoff(database, temporal, deal, settings.task_queue), "it runs"
    process = temporal.get_workflow_handle(handoff_workflow_id(deal))
    await process.terminate("somebody's mistake")
    assert await revive_handoff(database, temporal, deal, settings.task_queue)
    assert (await process.describe()).status is WorkflowExecutionStatus.RUNNING
    success = await as_("success@vendor.example")
    answer = await success.post(
        f"/api/v1/opportunities/{deal}/handoff/follow-ups", json={"health": "good", "note": "All well."}
    )
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["follow_ups"]) == 3


async def test_a_process_that_was_away_hears_that_the_deal_was_accepted_meanwhile(
    as_: ClientFor, people: People, database: Database, temporal: Client, settings: Settings
):
    deal = await accepted(as_, people, database)
    async with database.read() as session:
        known = await handoff.as_recorded(session, deal)
    assert known is not None
    await temporal.get_workflow_handle(handoff_workflow_id(deal)).terminate("somebody's mistake")
    facts = known.facts.model_copy(update={"version": known.facts.version - 1})
    unheard = {"progress": Progress.WAITING, "facts": facts, "accepted_at": None, "accepted_by": None}
    waiting = known.model_copy(update={**unheard, "follow_ups_planned": False, "follow_ups": ()})
    async with database.transaction() as session:
        row = update(HandOffRow).where(col(HandOffRow.opportunity_id) == deal)
        await session.execute(row.values(state_json=waiting.model_dump(mode="json")))
    assert await revive_handoff(database, temporal, deal, settings.task_queue)
    success = await as_("success@vendor.example")
    body = {"reason": "customer_left", "note": "They were bought."}
    answer = await success.post(f"/api/v1/opportunities/{deal}/handoff/close", json=body)
    assert answer.status_code == 200, answer.text


async def test_a_deal_without_a_hand_off_has_none_to_be_started(
    database: Database, temporal: Client, settings: Settings
):
    assert not await revive_handoff(database, temporal, UUID(int=404), settings.task_queue)
