"""A deal hears how its request stands: by an update, once, and by a signal from requests of before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.approval.state import ApprovalState, Subject
from domain.errors import InvalidInput
from domain.notice import NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import RequestDiscount
from domain.opportunity.state import LoseReason
from domain.principal import SYSTEM
from runtime.ids import new_id
from tests.approvals import DESK
from tests.bargains import POLICY
from tests.factories import NOW, an_id
from tests.workflows.play import Ledger, Played, a_worker
from tests.workflows.play_approval import Request
from tests.workflows.play_discounts import result
from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
from workflows.approval_tell import tell_deal
from workflows.entity import Receipt, refusal
from workflows.messages import Start, workflow_id
from workflows.opportunity import OpportunityWorkflow


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


async def test_a_request_without_a_deal_asks_nothing_of_the_server(waiting: Played):
    news = await granted(waiting)
    alone = news.model_copy(update={"subject": news.subject.but(opportunity_id=None)})
    await tell_deal(cast("Client", object()), alone)


async def test_what_a_run_before_has_heard_is_not_heard_again(server: WorkflowEnvironment, waiting: Played):
    news, deal = await granted(waiting), await waiting.deal()
    heard = {f"approval-{news.approval_id}-{news.version}": Receipt(id=deal.id, version=deal.version)}
    await waiting.handle.terminate()
    await server.client.start_workflow(
        OpportunityWorkflow.run,
        Start(opportunity=deal, receipts=heard),
        id=workflow_id(deal.id),
        task_queue=waiting.queue,
    )
    await tell_deal(server.client, news)
    assert (await waiting.deal()).discounts[-1].is_pending


@workflow.defn(name="OpportunityWorkflow", sandboxed=False)
class OfBefore:
    """A deal as a worker of an earlier release knows it: the update is not there yet."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn(name="OpportunityWorkflow", sandboxed=False)
class Refusing(OfBefore):
    """A deal that cannot store the news."""

    @workflow.run
    async def run(self) -> None:
        await super().run()

    @workflow.update(name=APPROVAL_ENDED)
    async def approval_ended(self, _result: ApprovalResult) -> None:
        raise refusal(InvalidInput("It cannot be stored."))


@pytest.mark.parametrize(
    ("deal", "error"), [(OfBefore, WorkflowUpdateFailedError), (Refusing, ApplicationError)]
)
async def test_news_that_are_not_heard_are_an_error(
    server: WorkflowEnvironment, deal: type[OfBefore], error: type[Exception]
):
    name = new_id()
    subject = Subject(title="ERP rollout", opportunity_id=name)
    said = {"version": 2, "state": ApprovalState.APPROVED, "by": SYSTEM, "at": NOW}
    news = ApprovalResult(approval_id=new_id(), subject=subject, **said)
    async with Worker(server.client, task_queue="tandem", workflows=[deal]):
        await server.client.start_workflow(deal.run, id=workflow_id(name), task_queue="tandem")
        with pytest.raises(error):
            await tell_deal(server.client, news)


async def test_a_request_from_before_tells_it_by_a_signal(waiting: Played):
    await waiting.handle.signal(APPROVAL_ENDED, await granted(waiting))
    await waiting.until(lambda now: now.discounts[-1].is_in_force)


async def test_people_are_told_although_the_deal_does_not_hear(server: WorkflowEnvironment):
    request = Request(server.client)
    others = Worker(server.client, task_queue="before", workflows=[OfBefore])
    async with request.worker(), others:
        await server.client.start_workflow(OfBefore.run, id=workflow_id(request.deal), task_queue="before")
        await request.submit(server, DESK)
        await request.until(lambda _: bool(request.bureau.messages))
    (message,) = request.bureau.messages.values()
    assert message.kind is NoticeKind.DECISION_WANTED
