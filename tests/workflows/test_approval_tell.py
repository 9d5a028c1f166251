"""A deal hears how its request stands: by an update, once, and by a signal from requests of before."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.approval.state import ApprovalState
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import RequestDiscount
from domain.opportunity.state import LoseReason
from tests.bargains import POLICY
from tests.factories import an_id
from tests.workflows.play import Ledger, Played, a_worker
from tests.workflows.play_discounts import result
from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
from workflows.approval_tell import tell_deal


@pytest_asyncio.fixture
async def waiting(server: WorkflowEnvironment) -> AsyncIterator[Played]:
    """A deal that waits for a discount."""
    deal = Played(server.client)
    async with a_worker(server.client, deal.queue, Ledger()):
        await deal.open(policy=POLICY.ref)
        await deal.ask(RequestDiscount(id=an_id(1), percent="20", reason="A strategic account."))
        yield deal


async def granted(deal: Played) -> ApprovalResult:
    return result(await deal.deal(), ApprovalState.APPROVED, percent="18")


async def test_the_same_news_are_heard_once(waiting: Played):
    news = await granted(waiting)
    for _ in range(2):
        await tell_deal(waiting.client, news)
    deal = await waiting.until(lambda now: now.discounts[-1].is_in_force)
    assert str(deal.discounts[-1].percent) == "18"
    accepted = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for event in (await waiting.history()).events
    ]
    assert accepted.count(APPROVAL_ENDED) == 1


async def test_a_deal_that_has_ended_hears_nothing(waiting: Played):
    news = await granted(waiting)
    await waiting.ask(ask.Lose(reason=LoseReason.PRICE))
    await waiting.ended()
    before = len((await waiting.history()).events)
    await tell_deal(waiting.client, news)
    assert len((await waiting.history()).events) == before


async def test_a_request_without_a_deal_tells_nobody(waiting: Played):
    news = await granted(waiting)
    alone = news.model_copy(update={"subject": news.subject.but(opportunity_id=None)})
    before = len((await waiting.history()).events)
    await tell_deal(waiting.client, alone)
    assert len((await waiting.history()).events) == before


async def test_a_request_from_before_tells_it_by_a_signal(waiting: Played):
    await waiting.handle.signal(APPROVAL_ENDED, await granted(waiting))
    await waiting.until(lambda now: now.discounts[-1].is_in_force)
