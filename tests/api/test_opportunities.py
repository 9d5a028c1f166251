"""Opportunities over HTTP: from open to handed off, by both sides, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from temporalio.api.errordetails.v1 import WorkflowNotReadyFailure
from temporalio.client import Client, WorkflowUpdateFailedError

import api.services
from api.app import create_app
from api.commands import Commands
from db import opportunity
from db.session import Database
from domain.opportunity.state import Opportunity
from domain.playbook import Playbook
from runtime.settings import Settings
from runtime.temporal_client import connect
from tests.stack import ClientFor, People, serving
from tests.temporal_answers import Answering, refused, through

pytestmark = pytest.mark.usefixtures("worker")

DEALS = "/api/v1/opportunities"
ENDED = WorkflowUpdateFailedError(RuntimeError("The process ended before it answered."))
NOT_READY = refused(WorkflowNotReadyFailure())


async def opened(client: httpx.AsyncClient, people: People, playbook: Playbook, **changes: Any) -> Any:
    body = {
        "title": "ERP rollout",
        "customer": {"name": "Acme", "domain": "acme.example", "country": "US", "industry": "manufacturing"},
        "amount": {"amount": "250000.00", "currency": "USD"},
        "expected_close": "2055-03-31",
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    answer = await client.post("/api/v1/opportunities", json={**body, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_deal_goes_from_open_to_handed_off(as_: ClientFor, people: People, playbook: Playbook):
    rep, seller = await as_("rep@vendor.example"), await as_("seller@aster.example")
    success = await as_("success@vendor.example")
    deal = await opened(rep, people, playbook)
    at = f"/api/v1/opportunities/{deal['id']}"

    async def do(who: httpx.AsyncClient, what: str, **body: Any) -> Any:
        answer = await who.post(f"{at}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert deal["stage"]["key"] == "qualify"
    await do(rep, "tasks/confirm-budget/complete")
    await do(seller, "tasks/share-profile/complete", note="Sent.")
    deal = await do(rep, "advance")
    assert deal["stage"]["key"] == "prepare"
    await do(rep, "tasks/write-agenda/complete")
    deal = await do(seller, "tasks/invite-customer/complete")
    assert deal["stage"]["key"] == "joint-demo"
    await do(rep, "tasks/run-demo/complete")
    deal = await do(rep, "advance")
    assert deal["stage"]["key"] == "joint-demo"
    assert deal["turn"] == "partner"
    deal = await do(seller, "advance")
    assert deal["stage"]["key"] == "commit", "the rule of the proposal was met at once"
    await do(rep, "tasks/sign-contract/complete")
    deal = await do(rep, "win")
    assert (deal["status"], deal["stage"]["key"]) == ("won", "handoff")
    await do(rep, "tasks/plan-onboarding/complete")
    deal = await do(success, "handoff/accept")
    assert deal["status"] == "handed_off"

    story = (await seller.get(f"{at}/timeline")).json()["items"]
    own = [event for event in story if event["stream_id"] == deal["id"]]
    assert [event["sequence"] for event in own] == list(range(deal["version"], 0, -1))
    assert own[0]["words"] == "Success accepted the hand-off."
    closed = await rep.post(f"{at}/notes", json={"text": "Too late?"})
    assert (closed.status_code, closed.json()["code"]) == (409, "deal_closed")


async def test_a_deal_is_reopened_from_a_record_that_somebody_wrote_to_meanwhile(
    as_: ClientFor, people: People, playbook: Playbook, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rep = await as_("rep@vendor.example")
    at = f"{DEALS}/{(await opened(rep, people, playbook))['id']}"
    assert (await rep.post(f"{at}/lose", json={"reason": "price"})).status_code == 200
    read = Commands._recorded
    async with database.read() as session:
        stale = await opportunity.as_recorded(session, UUID(at.rpartition("/")[2]))
    for command, body in (("reopen", {}), ("lose", {"reason": "timing"})):
        assert (await rep.post(f"{at}/{command}", json=body)).status_code == 200

    async def late(commands: Commands, opportunity_id: UUID) -> Opportunity:
        await read(commands, opportunity_id)
        assert stale is not None
        return stale

    monkeypatch.setattr(Commands, "_recorded", late)
    again = await rep.post(f"{at}/reopen", json={"reason": "They called again."})
    assert (again.status_code, again.json()["status"]) == (200, "open"), again.text
    told = (await rep.get(f"{at}/timeline")).json()["items"]
    assert [event["sequence"] for event in told] == list(range(len(told), 0, -1))
    assert [event["type"] for event in told][:4] == ["reopened", "lost", "reopened", "lost"]


@pytest.fixture
def hearing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Exception], AbstractAsyncContextManager[str]]:
    """Serves an API that hears this answer to every Update; its address."""

    @asynccontextmanager
    async def hears(answer: Exception) -> AsyncIterator[str]:
        async def connecting(settings: Settings) -> Client:
            return through(await connect(settings), Answering(answer))

        monkeypatch.setattr(api.services, "connect", connecting)
        async with serving(create_app(settings)) as address:
            yield address

    return hears


@pytest_asyncio.fixture
async def a_deal(as_: ClientFor, people: People, playbook: Playbook) -> tuple[httpx.AsyncClient, str]:
    """A rep, and where a deal of theirs is."""
    rep = await as_("rep@vendor.example")
    return rep, f"{DEALS}/{(await opened(rep, people, playbook))['id']}"


@pytest.mark.parametrize(
    ("answer", "once_lost"), [(ENDED, (409, "deal_closed")), (NOT_READY, (503, "unavailable"))]
)
async def test_a_command_not_taken_is_judged_by_the_record_only_where_the_process_ended(
    a_deal: tuple[httpx.AsyncClient, str],
    hearing: Callable[[Exception], AbstractAsyncContextManager[str]],
    answer: Exception,
    once_lost: tuple[int, str],
) -> None:
    rep, at = a_deal
    async with hearing(answer) as address:
        first = await rep.post(f"{address}{at}/notes", json={"text": "Call back."})
        assert (await rep.post(f"{at}/lose", json={"reason": "price"})).status_code == 200
        second = await rep.post(f"{address}{at}/notes", json={"text": "Call back."})
    assert (first.status_code, first.json()["code"]) == (503, "unavailable")
    assert first.json()["detail"] == "The deal did not take the command; try again in a moment."
    assert (second.status_code, second.json()["code"]) == once_lost, second.text
