"""A hand-off on a server whose time is ours: the ladder, follow-ups, a renewal that opens once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.handoff import commands as ask
from domain.handoff.events import Reminded
from domain.handoff.state import EndReason, FollowUpState, Health, Progress
from domain.notice import NoticeKind
from domain.opportunity import commands as ask_deal
from domain.opportunity.state import Status
from domain.playbook_handoff import HandOffTell
from tests.approvals import actor, without
from tests.handoffs import CARL, OFFICE, SUSI, candidate
from tests.workflows.play import Played, refused
from tests.workflows.play_approval import skip_to
from tests.workflows.play_handoff import HandOff
from workflows.messages import Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

FRIDAY = datetime(2055, 3, 5, 15, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def handoff(server: WorkflowEnvironment) -> AsyncIterator[HandOff]:
    """A deal that is not won yet, on a Friday afternoon, and a worker."""
    await skip_to(server, FRIDAY)
    handoff = HandOff(server.client)
    async with handoff.worker():
        yield handoff


async def just_before_the_renewal(server: WorkflowEnvironment, handoff: HandOff) -> None:
    """The server skips no time any more once a process has started another one while it skipped."""
    at = (await handoff.now()).renewal_at
    assert at is not None
    await skip_to(server, at - timedelta(milliseconds=200))


def rang(handoff: HandOff) -> list[tuple[HandOffTell, datetime]]:
    """Which rungs spoke, to the minute."""
    half = timedelta(seconds=30)
    return [
        (entry.event.tell, (entry.at + half).replace(second=0, microsecond=0))
        for entry in handoff.entries
        if isinstance(entry.event, Reminded)
    ]


async def test_it_escalates_over_a_weekend_and_acceptance_stops_it(
    server: WorkflowEnvironment, handoff: HandOff
):
    await (await handoff.win()).complete()
    await skip_to(server, datetime(2055, 3, 8, 14, 0, tzinfo=UTC))
    assert rang(handoff) == [], "a weekend is no business time"
    await skip_to(server, datetime(2055, 3, 9, 16, 0, tzinfo=UTC))
    await handoff.until_said("told all of customer success")
    assert rang(handoff) == [
        (HandOffTell.RECEIVER, datetime(2055, 3, 8, 15, 0, tzinfo=UTC)),
        (HandOffTell.CUSTOMER_SUCCESS, datetime(2055, 3, 9, 15, 0, tzinfo=UTC)),
    ]
    await handoff.accept()
    await server.sleep(timedelta(days=20))
    assert len(rang(handoff)) == 2
    kinds = [each.kind for each in handoff.reception.messages.values()]
    assert kinds.count(NoticeKind.HANDOFF_ACCEPTED) == 1


async def test_a_return_stops_the_clock_and_the_answer_begins_it_anew(
    server: WorkflowEnvironment, handoff: HandOff
):
    await (await handoff.win()).complete()
    await handoff.deal.ask(ask_deal.ReturnHandOff(comment="Who is the admin?"), actor(SUSI))
    await handoff.until(lambda process: process.progress is Progress.RETURNED)
    await server.sleep(timedelta(days=14))
    assert rang(handoff) == []
    await handoff.deal.complete("task-1")
    process = await handoff.until(lambda process: process.clock is not None)
    assert process.due_at is not None
    assert process.due_at - await server.get_current_time() > timedelta(days=1, hours=12)
    await server.sleep(timedelta(days=5))
    await handoff.until_said("nobody has accepted", times=2)
    assert len(rang(handoff)) == 3


async def test_the_deals_process_ends_and_the_hand_off_goes_on_for_ninety_days(
    server: WorkflowEnvironment, handoff: HandOff
):
    await (await (await handoff.win()).complete()).accept()
    await handoff.deal.ended()
    for number, days in enumerate((30, 60, 90), start=1):
        key = f"follow-up-{number}"
        await skip_to(server, FRIDAY + timedelta(days=days, hours=1))
        await handoff.until(
            lambda process, key=key: process.follow_up(key).state is FollowUpState.DUE  # type: ignore[misc]
        )
        await handoff.ask(ask.LogFollowUp(key=key, health=Health.GOOD, note=f"Day {days}."))
    process = await handoff.now()
    assert [each.note for each in process.follow_ups] == ["Day 30.", "Day 60.", "Day 90."]
    assert process.is_open, "no contract's end is known"
    await handoff.ask(ask.Close(reason="contract_ended", note="Not renewed."))
    assert (await handoff.ended()).ended.reason is EndReason.CONTRACT_ENDED
    due = [each for each in handoff.reception.messages.values() if each.kind is NoticeKind.FOLLOW_UP_DUE]
    assert len(due) == 3


async def test_a_missed_follow_up_is_told_to_the_manager(server: WorkflowEnvironment, handoff: HandOff):
    await (await (await handoff.win()).complete()).accept()
    await server.sleep(timedelta(days=45))
    await handoff.until_said("told the manager")
    messages = handoff.reception.messages
    await handoff.until(lambda _: any(each.kind is NoticeKind.ESCALATED for each in messages.values()))
    escalated = [each for each in messages.values() if each.kind is NoticeKind.ESCALATED]
    assert [each.managers_of for each in escalated] == [(SUSI.id,)]


async def test_the_renewal_opens_ninety_days_before_the_contract_ends(
    server: WorkflowEnvironment, handoff: HandOff
):
    await handoff.win(timedelta(days=365), server)
    await (await handoff.complete()).accept()
    await skip_to(server, FRIDAY + timedelta(days=274))
    assert (await handoff.now()).renewal is None
    await just_before_the_renewal(server, handoff)
    renewal = await handoff.renewal()
    first = handoff.reception.ledger.deals[handoff.id]
    assert (renewal.parent_id, renewal.title) == (handoff.id, "ERP rollout (renewal 2056)")
    assert (renewal.amount, renewal.owner, renewal.partners, renewal.account_id) == (
        first.amount,
        first.owner,
        first.partners,
        first.account_id,
    )
    assert (renewal.status, renewal.playbook.key) == (Status.OPEN, first.playbook.key)
    assert (await handoff.ended()).ended.reason is EndReason.RENEWAL_OPENED
    assert (
        handoff.words.count("Tandem opened “ERP rollout (renewal 2056)”: the contract ends on 4 March 2056.")
        == 1
    )


async def test_a_contract_that_ends_soon_is_renewed_at_once(server: WorkflowEnvironment, handoff: HandOff):
    await (await (await handoff.win()).complete()).accept()
    ends = (FRIDAY + timedelta(days=60)).date()
    await handoff.ask(ask.SetContract(ends=ends))
    assert (await handoff.renewal()).expected_close == ends


async def test_a_second_try_finds_the_deal_that_the_first_opened(
    server: WorkflowEnvironment, handoff: HandOff
):
    """As after a restore, or a step that died: the renewal was started, and nobody had written that down."""
    await handoff.win(timedelta(days=100), server)
    await (await handoff.complete()).accept()
    first = await handoff.reception.prepare_renewal(await handoff.now())
    renewal = Played(server.client, id=first.command.id)
    await server.client.start_workflow(
        OpportunityWorkflow.run, Start(opening=first), id=workflow_id(renewal.id), task_queue=renewal.queue
    )
    await renewal.handle.execute_update(OpportunityWorkflow.opened)
    await just_before_the_renewal(server, handoff)
    assert (await handoff.renewal()).id == renewal.id
    deals = [deal for deal in handoff.reception.ledger.deals.values() if deal.parent_id == handoff.id]
    assert [deal.id for deal in deals] == [renewal.id]
    assert sum("Tandem opened" in words for words in handoff.words) == 1


async def test_assigning_moves_the_clock_and_leaving_gives_it_back(
    server: WorkflowEnvironment, handoff: HandOff
):
    await handoff.win()
    await handoff.ask(ask.Assign(to=candidate(SUSI)))
    await handoff.complete()
    await handoff.people_change(without(OFFICE, SUSI))
    process = await handoff.until(lambda process: process.receiver is None)
    assert process.progress is Progress.WAITING
    await handoff.accept(CARL)
    assert (await handoff.now()).receiver.name == "Carl Care"


async def test_what_the_rules_refuse_is_not_in_the_history(handoff: HandOff):
    await handoff.win()
    refusal = await refused(handoff.ask(ask.LogFollowUp(health=Health.GOOD, note="x")))
    assert refusal.type == "handoff_not_accepted"
    accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    assert not [event for event in (await handoff.history()).events if event.event_type == accepted]


async def test_a_repeated_command_is_done_once(handoff: HandOff):
    await handoff.win()
    first = await handoff.ask(ask.Assign(to=candidate(SUSI)), id="the-same")
    await handoff.ask(ask.Assign(to=None))
    assert await handoff.ask(ask.Assign(to=candidate(SUSI)), id="the-same") == first
    assert (await handoff.now()).receiver is None


async def test_a_deal_that_was_in_its_hand_off_before_there_were_processes_gets_one(handoff: HandOff):
    await handoff.win()
    await handoff.handle.terminate("as if it had never been")
    await handoff.deal.complete("plan-onboarding")
    process = await handoff.until(lambda process: process.progress is Progress.WAITING)
    assert process.clock is not None
    assert (await handoff.handle.describe()).status is WorkflowExecutionStatus.RUNNING
