"""A request on a Temporal server: from being asked to each of its ends, in order and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.approval import commands as ask
from domain.approval.directory import PersonEntry
from domain.approval.draft import ApprovalOutcome
from domain.approval.state import ApprovalState, StepState
from domain.approval.work import awaited
from domain.notice import Message, NoticeKind
from domain.principal import Side
from tests.approvals import ADA, DESK, DIANA, DINA, DIRK, DORA, FINANCE, FRED, OFFICE, RITA, step, without
from tests.workflows.play import refused
from tests.workflows.play_approval import Bureau, Deal, Request
from workflows.notice_messages import NOTIFY


@pytest_asyncio.fixture
async def request_(server: WorkflowEnvironment) -> AsyncIterator[Request]:
    """A request that is not submitted yet, with a worker and its deal."""
    request = Request(server.client)
    async with request.worker():
        yield request


async def test_everybody_agrees_in_turn_and_it_is_approved(server: WorkflowEnvironment, request_: Request):
    await request_.submit(server)
    assert await request_.asked("desk") == ["Dora", "Dirk", "Dina"]
    assert await request_.asked("director") == []
    await request_.approve(DORA, FRED)
    assert await request_.asked("director") == ["Diana"]
    await request_.approve(DIANA)
    assert await request_.ended() is ApprovalState.APPROVED
    assert request_.words[-1] == "27.5 % on ERP rollout was approved."
    sequences = [sequence for _, sequence in sorted(request_.bureau.timeline)]
    assert sequences == list(range(1, len(sequences) + 1)), "versions rise by one"


async def test_the_deal_hears_how_its_request_stands(server: WorkflowEnvironment, request_: Request):
    deal = await request_.open_deal()
    await request_.submit(server, DESK)
    await request_.ask(ask.Counter(percent="20", comment="Less."), DORA)
    await request_.ask(ask.Accept(), RITA)
    await request_.ended()
    heard = await deal.query(Deal.results)
    told = [(each.state.value, str(each.percent)) for each in heard]
    assert told == [("pending", "27.5"), ("countered", "27.5"), ("approved", "20")]
    assert heard[1].counter.by.name == "Dora Desk"


class AwayForAWeek(Bureau):
    """A bureau where whoever is asked cannot be told before a week has passed."""

    @activity.defn(name=NOTIFY)
    async def notify(self, message: Message) -> None:
        if message.kind is NoticeKind.DECISION_WANTED and activity.info().attempt == 1:
            raise ApplicationError("The database is away.", next_retry_delay=timedelta(days=7))
        await super().notify(message)


async def test_who_could_not_be_told_for_a_week_is_told_before_the_request_ends(
    server: WorkflowEnvironment,
):
    request = Request(server.client, bureau=AwayForAWeek())
    async with request.worker():
        await request.submit(server, DESK)
        await request.approve(DORA)
        await server.sleep(timedelta(days=8))
        assert await request.ended() is ApprovalState.APPROVED
    kinds = {message.kind for message in request.bureau.messages.values()}
    assert {NoticeKind.DECISION_WANTED, NoticeKind.APPROVED} <= kinds


async def test_people_are_told_what_concerns_them(server: WorkflowEnvironment, request_: Request):
    await request_.submit(server, DESK)
    await request_.ask(ask.Return(comment="Say more."), DORA)
    await request_.ask(ask.Recall(), RITA)
    await request_.ended()
    told = {each.kind: set(each.recipients) for each in request_.bureau.messages.values()}
    assert len(request_.bureau.messages) == 2, "each is told once, in whatever order"
    assert told == {
        NoticeKind.DECISION_WANTED: {DORA.id, DIRK.id, DINA.id},
        NoticeKind.RETURNED: {RITA.id},
    }


async def test_no_notice_ever_holds_up_a_request(server: WorkflowEnvironment, request_: Request):
    request_.bureau.messages = Broken()
    await request_.submit(server, DESK)
    await request_.approve(DORA)
    assert (await request_.now()).state is ApprovalState.APPROVED
    assert (await refused(request_.ask(ask.Recall(), RITA))).type == "approval_closed"
    request_.bureau.messages = {}
    assert await request_.ended() is ApprovalState.APPROVED
    assert len(request_.bureau.messages) == 2, "told late is told"


class Broken(dict[str, Message]):
    def __setitem__(self, key: str, value: Message) -> None:
        msg = "no notices today"
        raise OSError(msg)


async def test_a_request_without_a_running_deal_ends_all_the_same(
    server: WorkflowEnvironment, request_: Request
):
    await request_.submit(server, DESK)
    await request_.ask(ask.Reject(comment="No."), DORA)
    assert await request_.ended() is ApprovalState.REJECTED


async def test_two_at_once_and_one_decision(server: WorkflowEnvironment, request_: Request):
    await request_.submit(server, DESK)
    both = (request_.ask(ask.Approve(), DORA), request_.ask(ask.Reject(comment="No."), DIRK))
    answers = await asyncio.gather(*both, return_exceptions=True)
    [failed] = [each for each in answers if isinstance(each, WorkflowUpdateFailedError)]
    assert isinstance(failed.cause, ApplicationError)
    assert failed.cause.type == "approval_closed"
    decided = await request_.ended()
    assert decided in (ApprovalState.APPROVED, ApprovalState.REJECTED)


async def test_the_same_update_again_is_answered_and_not_done_again(
    server: WorkflowEnvironment, request_: Request
):
    await request_.submit(server)
    first = await request_.ask(ask.Approve(), DORA, id="one")
    again = await request_.ask(ask.Approve(), DORA, id="one")
    assert first == again
    assert (await refused(request_.ask(ask.Approve(), DORA, id="two"))).type == "already_decided"


async def test_whoever_lost_the_role_just_now_does_not_decide(server: WorkflowEnvironment, request_: Request):
    await request_.submit(server, DESK)
    request_.bureau.directory = without(OFFICE, DORA)  # and nobody said so yet
    assert (await refused(request_.ask(ask.Approve(), DORA))).type == "not_an_approver"
    assert await request_.asked() == ["Dirk", "Dina"]
    assert request_.words[-1] == "Desk: now Dirk Desk or Dina Desk may decide."


async def test_who_is_asked_besides_does_not_outdate_what_an_approver_read(
    server: WorkflowEnvironment, request_: Request
):
    await request_.submit(server, DESK, FINANCE)
    read = (await request_.now()).version
    request_.bureau.directory = without(OFFICE, DIRK)  # and nobody said so yet
    await request_.ask(ask.Approve(), DORA, if_version=read)
    assert (await refused(request_.ask(ask.Approve(), FRED, if_version=read))).type == "stale_version"
    request_.bureau.directory = without(OFFICE, FRED)
    read = (await request_.now()).version
    gone = await refused(request_.ask(ask.Approve(), FRED, if_version=read))
    assert gone.type == "not_an_approver"


async def test_who_leaves_in_the_moment_of_being_asked_is_not_waited_for(
    server: WorkflowEnvironment, request_: Request
):
    request_.bureau.meanwhile = leaving_when_asked(request_.bureau, FRED, DIANA)
    await request_.submit(server, FINANCE)
    assert await request_.asked("finance") == ["Ada"]
    assert request_.words[-1] == "Finance: now Ada Admin may decide."


def leaving_when_asked(bureau: Bureau, *people: PersonEntry) -> Callable[[ApprovalOutcome], None]:
    """Each leaves in the moment in which it is recorded that they are asked: nobody knows to tell of it."""
    left: list[PersonEntry] = []

    def meanwhile(outcome: ApprovalOutcome) -> None:
        left.extend(each for each in people if each not in left and each.id in awaited(outcome.approval))
        bureau.directory = without(OFFICE, *left)

    return meanwhile


async def test_when_somebody_leaves_others_are_asked_and_at_last_the_requester(
    server: WorkflowEnvironment, request_: Request
):
    await request_.submit(server, FINANCE)
    await request_.people_change(without(OFFICE, FRED))
    await request_.until(lambda now: now.step("finance").level == 1)
    assert await request_.asked("finance") == ["Diana"]
    await request_.people_change(without(OFFICE, FRED, DIANA, ADA))
    returned = await request_.until(lambda now: now.state is ApprovalState.RETURNED)
    assert "Nobody who may decide on Finance is left" in str(returned.returned.comment)
    await request_.people_change(OFFICE)
    await request_.ask(ask.Resubmit(), RITA)
    assert await request_.asked("finance") == ["Fred"]


async def test_a_seat_is_given_to_a_colleague(server: WorkflowEnvironment, request_: Request):
    await request_.submit(server, FINANCE)
    to = ask.Delegate(id=ADA.id, name=ADA.name, side=Side.VENDOR)
    await request_.ask(ask.DelegateSeat(to=to), FRED)
    assert (await refused(request_.ask(ask.Approve(), FRED))).type == "not_an_approver"
    await request_.approve(ADA)
    await request_.ended()
    assert "Ada Admin for Fred Finance approved (Finance)." in request_.words


async def test_a_counter_offer_drops_steps_that_less_does_not_need(
    server: WorkflowEnvironment, request_: Request
):
    costly = step("finance", {"role": "finance"}, when="discount['percent'] > 25")
    request_.bureau.facts_now = lambda judging: {"discount": {"percent": float(judging.percent or 0)}}
    await request_.submit(server, DESK, costly)
    await request_.ask(ask.Counter(percent="20"), DORA)
    await request_.ask(ask.Accept(), RITA)
    assert await request_.ended() is ApprovalState.APPROVED
    done = request_.bureau.approvals[request_.id]
    assert done.step("finance").state is StepState.NOT_NEEDED
    assert done.facts == {"discount": {"percent": 20.0}}


async def test_when_the_subject_is_gone_the_request_is_withdrawn(
    server: WorkflowEnvironment, request_: Request
):
    await request_.submit(server)
    await request_.withdraw()
    assert await request_.ended() is ApprovalState.RECALLED
    done = request_.bureau.approvals[request_.id]
    assert done.ended.by.is_system
    assert done.ended.comment == "The deal was lost."


async def test_a_withdrawal_may_come_before_the_request_is_open(
    server: WorkflowEnvironment, request_: Request
):
    await request_.start(await server.get_current_time())
    await request_.withdraw()
    assert await request_.ended() is ApprovalState.RECALLED


async def test_what_cannot_be_asked_ends_with_a_refusal(server: WorkflowEnvironment, request_: Request):
    past = await server.get_current_time() - timedelta(days=1)
    await request_.start(past, expires_at=past)
    with pytest.raises(WorkflowFailureError) as failed:
        await request_.handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "invalid_input"


async def test_the_deal_hears_of_a_request_that_could_not_be_asked(
    server: WorkflowEnvironment, request_: Request
):
    deal = await request_.open_deal()
    past = await server.get_current_time() - timedelta(days=1)
    await request_.start(past, expires_at=past)
    with pytest.raises(WorkflowFailureError):
        await request_.handle.result()
    [heard] = await deal.query(Deal.results)
    assert (heard.approval_id, heard.state) == (request_.id, ApprovalState.REJECTED)
    assert heard.comment == "It could not be asked: A request expires after it is made."
