"""The life of one opportunity, from its opening to the hand-over: one workflow, `opportunity-{id}`.

The rules are in `domain.opportunity`; here is what makes them durable: each
change is decided, recorded and then answered, one at a time, and the clock
speaks when something falls due.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributePair
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.approval.commands import Submit
    from domain.discount.assess import Assessment, Check
    from domain.errors import TandemError
    from domain.opportunity import commands as ask
    from domain.opportunity.agenda import DueItem
    from domain.opportunity.blockers import blockers
    from domain.opportunity.clock import Reckoned, fall_due, reckon
    from domain.opportunity.decide_discount import (
        approval_ended,
        assessed,
        checked,
        judged_amount,
        needs_check,
        to_assess,
    )
    from domain.opportunity.draft import Outcome, TimelineEntry
    from domain.opportunity.facts import facts
    from domain.opportunity.leavers import PersonGone, person_left
    from domain.opportunity.notices import TOLD, messages
    from domain.opportunity.rules import decide, judged, open_deal, rule_to_judge
    from domain.opportunity.stage_approvals import KIND as STAGE
    from domain.opportunity.stage_approvals import approval_ended as stage_ended
    from domain.opportunity.state import Opportunity
    from domain.opportunity.triggers import TriggerAnswers, fired, not_called, to_fire
    from runtime.search_attributes import NEXT_DUE, OWNER, PHASE, PLAYBOOK, STATUS
    from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
    from workflows.companions import (
        say_that_the_owner_is_another,
        start_discount_approvals,
        tell_the_handoff,
        withdraw_approvals,
    )
    from workflows.discount_messages import (
        CHECK_DISCOUNTS,
        RESOLVE_DISCOUNT,
        CheckQuestion,
        DiscountQuestion,
    )
    from workflows.entity import Entity, Receipt, refusal
    from workflows.messages import (
        CATCH_UP,
        JUDGE,
        PERSON_LEFT,
        RECORD,
        CaughtUp,
        Opening,
        Rule,
        Snapshot,
        Start,
        Timeline,
    )
    from workflows.trigger_messages import JUDGE_TRIGGERS, WEBHOOK_FAILED, WebhookFailure
    from workflows.triggered import follow_triggers


@workflow.defn
class OpportunityWorkflow(Entity):
    """One deal. It ends when the deal is lost or handed off; reopening starts it again from its record."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        super().__init__(start.receipts)
        self.deal: Opportunity | None = start.opportunity
        self.catching_up = start.woken
        self.refused: ApplicationError | None = None
        self.entries: list[TimelineEntry] = list(start.entries)
        self.reckoned: Reckoned | None = None
        self.submissions: list[Submit] = []
        """Approvals to start as soon as what they are for is recorded."""

    @workflow.run
    async def run(self, start: Start) -> None:
        if start.opening is not None and self.deal is None:
            async with self.lock:
                await self._open(start.opening)
        if self.catching_up:
            await self._catch_up()
        if start.opportunity is not None and start.entries:
            await self._record_taken_over(start.opportunity, start.entries)
        if start.opportunity is not None and self._known().is_closed:
            await self._expect_reopening()
        self._show()
        teller = asyncio.create_task(self.tell_for_ever())
        while not self._is_over():
            await self.sleep_until_due(self._next_due, self._may_stop)
            await self._pass_time()
            if self._is_too_long() and not self._known().is_closed and self._is_quiet():
                workflow.continue_as_new(Start(opportunity=self._known(), receipts=self.receipts))
        teller.cancel()

    @workflow.update
    async def opened(self) -> Receipt:
        """Answers once the opening is recorded."""
        await self._until_opened()
        return self.answered() or self.answer(self._receipt())

    @workflow.update
    async def change(self, request: ask.Request) -> Receipt:
        """Do what is asked, record it, and answer with the version it led to."""
        await self._until_opened()
        async with self.lock:
            if receipt := self.answered():
                return receipt
            try:
                await self._commit(decide(self._known(), request, workflow.now()))
            except TandemError as error:  # somebody was faster, after the validator looked
                raise refusal(error) from error
            return self.answer(self._receipt())

    @change.validator
    def _may_change(self, request: ask.Request) -> None:
        """Refuse before anything is written to the history."""
        if self.deal is None or self.catching_up or self.answered():
            return
        try:
            decide(self.deal, request, workflow.now())
        except TandemError as error:
            raise refusal(error) from error

    @workflow.update(name=APPROVAL_ENDED)
    async def approval_ended(self, result: ApprovalResult) -> Receipt:
        """How the approval of a discount or of a stage stands: decided, or back with whoever asked."""
        if receipt := self.answered():
            return receipt
        await self.approval_signalled(result)
        return self.answer(self._receipt())

    @workflow.signal(name=APPROVAL_ENDED)
    async def approval_signalled(self, result: ApprovalResult) -> None:
        """The same, from requests that began when it was told by a signal."""
        await self._until_opened()
        async with self.lock:
            if result.subject.kind == STAGE:
                told = (result.approval_id, result.state, result.comment)
                await self._commit(stage_ended(self._known(), *told, workflow.now()))
                return
            await self._commit(
                approval_ended(
                    self._known(),
                    result.approval_id,
                    result.state,
                    percent=result.percent,
                    offered=result.counter.percent if result.counter else None,
                    amount=judged_amount(result.facts),
                    agreed=result.agreed,
                    not_needed=result.not_needed,
                    now=workflow.now(),
                    comment=result.comment,
                )
            )

    @workflow.signal(name=WEBHOOK_FAILED)
    async def webhook_failed(self, failure: WebhookFailure) -> None:
        """A program that a trigger calls could not be told."""
        await self._until_opened()
        async with self.lock:
            await self._commit(not_called(self._known(), failure.call, failure.why, workflow.now()))

    @workflow.signal(name=PERSON_LEFT)
    async def person_left(self, gone: PersonGone) -> None:
        """Somebody works here no more; what they had to do goes back to their side."""
        await self._until_opened()
        async with self.lock:
            await self._commit(person_left(self._known(), gone.id, workflow.now()))

    @workflow.query
    def opportunity(self) -> Opportunity:
        """The deal as it stands."""
        return self._known()

    @workflow.query
    def timeline(self) -> Timeline:
        """What happened in this run, in order."""
        return Timeline(entries=self.entries)

    async def _pass_time(self) -> None:
        """Say what has fallen due by now, if anything has."""
        due = self._next_due()
        if due is not None and due <= workflow.now():
            async with self.lock:
                deal, now = self._known(), workflow.now()
                on_time = not _ends_hold(deal, now) or workflow.patched("holds-end-on-time")
                await self._commit(fall_due(deal, now, self._reckon().items, holds_end_on_time=on_time))

    async def _record_taken_over(self, deal: Opportunity, entries: tuple[TimelineEntry, ...]) -> None:
        """Whoever started the deal recorded this too, so it changes nothing, unless that was interrupted."""
        taken_over = Outcome.model_construct(opportunity=deal, entries=entries)
        async with self.lock:
            await self.quick(RECORD, taken_over, None, "taken over from elsewhere")

    async def _catch_up(self) -> None:
        """Since the deal was read, somebody else may have woken it and closed it again."""
        deal = self._known()
        snapshot = Snapshot(id=deal.id, version=deal.version)
        caught_up: CaughtUp = await self.firmly(CATCH_UP, snapshot, CaughtUp, "Is this what is recorded?")
        self.deal = caught_up.newer or deal
        self.catching_up = False

    async def _expect_reopening(self) -> None:
        """Started again to be reopened: that command came with the start. If it is refused, end."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not self._known().is_closed,
                timeout=timedelta(minutes=1),
                timeout_summary="until the deal is reopened",
            )

    def _known(self) -> Opportunity:
        if self.deal is None:
            msg = "The opening is not recorded yet."
            raise RuntimeError(msg)
        return self.deal

    async def _open(self, opening: Opening) -> None:
        """Open the deal; a refusal goes to everybody who waits for it, and ends the process."""
        try:
            await self._commit(open_deal(opening.command, workflow.now(), opening.by))
        except (TandemError, ApplicationError) as error:
            self.refused = error if isinstance(error, ApplicationError) else refusal(error)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise self.refused from error

    async def _until_opened(self) -> None:
        await workflow.wait_condition(
            lambda: (self.deal is not None and not self.catching_up) or self.refused is not None
        )
        if self.refused is not None:
            raise self.refused

    async def _commit(self, outcome: Outcome) -> None:
        """Let policy and rule speak, record all that happened, and only then let it be true."""
        before = self.deal
        outcome = await self._ask_about_discounts(before, outcome)
        outcome = await self._ask_the_rule(await self._fire_triggers(outcome))
        if outcome.entries:
            summary = outcome.entries[0].words[:200]
            await self.quick(RECORD, outcome, None, summary)
        self.deal = outcome.opportunity
        self.entries.extend(outcome.entries)
        for patch, kinds in TOLD.items():
            if (notices := messages(outcome, kinds)) and workflow.patched(patch):
                self.notices.extend(notices)
        self._show()
        await start_discount_approvals(self.submissions, self.deal)
        await follow_triggers(before, outcome)
        await withdraw_approvals(before, self.deal)
        await say_that_the_owner_is_another(before, self.deal)
        await tell_the_handoff(before, outcome)

    async def _ask_about_discounts(self, before: Opportunity | None, outcome: Outcome) -> Outcome:
        """What a request takes, and whether grants still cover the deal: the answers are in the history."""
        while (asked := to_assess(outcome.opportunity)) is not None:
            now = workflow.now()
            question = DiscountQuestion(opportunity=outcome.opportunity, discount_id=asked.id, at=now)
            what = "What does this discount take?"
            found: Assessment = await self.quick(RESOLVE_DISCOUNT, question, Assessment, what)
            outcome = outcome.then(assessed(outcome.opportunity, found, workflow.now()))
            if found.submission is not None:
                self.submissions.append(found.submission)
        if needs_check(before, outcome.opportunity):
            check = CheckQuestion(opportunity=outcome.opportunity, at=workflow.now())
            what = "Is what is given covered by what was granted?"
            answer: Check = await self.quick(CHECK_DISCOUNTS, check, Check, what)
            outcome = outcome.then(checked(outcome.opportunity, answer, workflow.now()))
        return outcome

    async def _fire_triggers(self, outcome: Outcome) -> Outcome:
        """Let the triggers of stages that began or ended fire, before anything else happens in the stage.

        Playbooks without triggers, which all had once, ask nothing here: so their histories replay.
        """
        while (question := to_fire(outcome.opportunity)) is not None:
            what = "Which triggers fire?"
            answers: TriggerAnswers = await self.quick(JUDGE_TRIGGERS, question, TriggerAnswers, what)
            outcome = outcome.then(fired(outcome.opportunity, answers, workflow.now()))
        return outcome

    async def _ask_the_rule(self, outcome: Outcome) -> Outcome:
        """A CEL rule is asked in an activity, so that its answer is in the history."""
        while expression := rule_to_judge(outcome.opportunity):
            rule = Rule(expression=expression, facts=facts(outcome.opportunity))
            met = await self.quick(JUDGE, rule, bool, "Is the stage's rule met?")
            asked, more = outcome.opportunity, judged(outcome.opportunity, met=met, now=workflow.now())
            outcome = await self._fire_triggers(outcome.then(more))
            if outcome.opportunity.stage.key == asked.stage.key:
                break
        return outcome

    def _receipt(self) -> Receipt:
        deal = self._known()
        return Receipt(id=deal.id, version=deal.version)

    def _next_due(self) -> datetime | None:
        return self._reckon().due

    def _reckon(self) -> Reckoned:
        """What falls due: asked with every step of the process, reckoned where the deal has changed."""
        deal = self._known()
        if self.reckoned is None or self.reckoned.deal is not deal:
            self.reckoned = reckon(deal, self.reckoned)
        return self.reckoned

    def _is_too_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _is_over(self) -> bool:
        """Closed, and whoever asked for something has the answer (which may have reopened it)."""
        return self._known().is_closed and self._is_quiet()

    def _is_quiet(self) -> bool:
        """Nobody waits for an answer, and everybody has been told."""
        return self.all_told() and workflow.all_handlers_finished()

    def _may_stop(self) -> bool:
        """This run may end: the deal is closed or the history long, and nobody waits for an answer."""
        return (self._known().is_closed or self._is_too_long()) and self._is_quiet()

    def _show(self) -> None:
        """Say in the Temporal UI how the deal stands, and let it be searched for."""
        deal, items, due = self._reckon()
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(STATUS, deal.status.value),
            SearchAttributePair(PHASE, deal.phase.value),
            SearchAttributePair(PLAYBOOK, deal.playbook.key),
        ]
        if deal.owner:
            pairs.append(SearchAttributePair(OWNER, str(deal.owner.id)))
        if due:
            pairs.append(SearchAttributePair(NEXT_DUE, due))
        self.show(pairs, _details(deal, items))


def _ends_hold(deal: Opportunity, now: datetime) -> bool:
    return deal.hold is not None and deal.hold.until is not None and deal.hold.until <= now


def _details(deal: Opportunity, items: Sequence[DueItem]) -> str:
    """The deal for an operator: state, whose turn, what falls due."""
    lines = [
        f"**{deal.status.value}** in **{deal.stage_title}** ({deal.phase.value}), version {deal.version}",
        "",
        *(f"- {blocker.what} (waits for {blocker.who})" for blocker in blockers(deal)),
        *(f"- {item.what}: {item.at:%Y-%m-%d %H:%M} UTC" for item in items[:3]),
    ]
    return "\n".join(lines)
