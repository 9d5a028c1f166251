"""The life of one request, from being asked to its end: one workflow, `approval-{id}`, for every gate.

The rules are in `domain.approval`; here is what makes them durable: each change is
decided, recorded and then answered, one at a time; the directory is asked who may
decide; the clock reminds, escalates and expires; people are told, and so is the deal.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributePair
from temporalio.exceptions import ApplicationError, TemporalError

with workflow.unsafe.imports_passed_through():
    from domain.approval import commands as ask
    from domain.approval.agenda import fall_due, next_due
    from domain.approval.draft import ApprovalEntry, ApprovalOutcome
    from domain.approval.events_steps import people
    from domain.approval.notices import messages
    from domain.approval.resolve import Judged, Resolution
    from domain.approval.rules import (
        as_read,
        decide,
        needs_judging,
        resolved,
        submit,
        to_resolve,
        withdraw,
    )
    from domain.approval.state import Approval
    from domain.approval.work import awaited
    from domain.errors import TandemError
    from runtime.search_attributes import NEXT_DUE, STATUS
    from workflows.approval_messages import (
        APPROVAL_ENDED,
        JUDGE_ROUND,
        PEOPLE_CHANGED,
        RECORD_APPROVAL,
        RESOLVE_STEPS,
        TELL_DEAL,
        WITHDRAW,
        ApprovalResult,
        ApprovalStart,
        ApprovalTimeline,
        Judging,
        Submission,
        Withdrawal,
        refused_result,
        result_of,
    )
    from workflows.entity import Entity, Receipt, refusal
    from workflows.messages import workflow_id

_LOOKS = 5
"""So often people are looked at anew in one go: each time somebody would have to go in that very moment."""


@workflow.defn
class ApprovalWorkflow(Entity):
    """One request. It ends when the request does, and everybody concerned has been told."""

    @workflow.init
    def __init__(self, start: ApprovalStart) -> None:
        super().__init__(start.receipts)
        self.approval: Approval | None = start.approval
        self.refused: ApplicationError | None = None
        self.entries: list[ApprovalEntry] = []
        self.results: list[ApprovalResult] = []
        """What the deal has still to be told."""
        self.tells_by_update = False
        self.deal_is_behind = False
        """The first try to tell the deal has failed: nobody else waits for it any longer."""

    @workflow.run
    async def run(self, start: ApprovalStart) -> None:
        self.tells_by_update = workflow.patched("deals-are-told-by-update")
        if start.submission is not None and self.approval is None:
            async with self.lock:
                await self._submit(start.submission)
        self._show()
        told = (
            (self._tell_the_deal(), self.tell_for_ever()) if self.tells_by_update else (self._tell_in_turn(),)
        )
        tellers = [asyncio.create_task(each) for each in told]
        while not self._is_over():
            await self.sleep_until_due(self._next_due, self._may_stop)
            await self._pass_time()
            if self._is_too_long() and self._is_quiet() and self._known().is_open:
                workflow.continue_as_new(ApprovalStart(approval=self._known(), receipts=self.receipts))
        for teller in tellers:
            teller.cancel()

    @workflow.update
    async def submitted(self) -> Receipt:
        """Answers once the request is recorded."""
        await self._until_submitted()
        return self.answered() or self.answer(self._receipt())

    @workflow.update
    async def change(self, request: ask.Request) -> Receipt:
        """Do what is asked, record it, and answer with the version it led to."""
        await self._until_submitted()
        async with self.lock:
            if receipt := self.answered():
                return receipt
            try:
                await self._decide(request)
            except TandemError as error:  # somebody was faster, or who asks may not decide any more
                raise refusal(error) from error
            return self.answer(self._receipt())

    @change.validator
    def _may_change(self, request: ask.Request) -> None:
        """Refuse before anything is written to the history."""
        if self.approval is None or self.answered():
            return
        try:
            decide(self.approval, request, workflow.now())
        except TandemError as error:
            raise refusal(error) from error

    @workflow.signal(name=WITHDRAW)
    async def withdraw(self, withdrawal: Withdrawal) -> None:
        """What it is about is gone: a deal was lost, a partner left."""
        await self._until_submitted()
        async with self.lock:
            await self._commit(withdraw(self._known(), withdrawal.reason, workflow.now()))

    @workflow.signal(name=PEOPLE_CHANGED)
    async def people_changed(self) -> None:
        """Somebody who sits here left, lost a role, went away or came back: find out anew who may decide."""
        await self._until_submitted()
        async with self.lock:
            await self._look_again()

    @workflow.query
    def state(self) -> Approval:
        """The request as it stands."""
        return self._known()

    @workflow.query
    def timeline(self) -> ApprovalTimeline:
        """What happened in this run, in order."""
        return ApprovalTimeline(entries=self.entries)

    async def _submit(self, submission: Submission) -> None:
        """Begin; a refusal goes to the deal and to everybody who waits for it, and ends the process."""
        try:
            await self._commit(submit(submission.command, workflow.now(), submission.by))
        except (TandemError, ApplicationError) as error:
            self.refused = error if isinstance(error, ApplicationError) else refusal(error)
            if workflow.patched("refusals-are-told"):  # else a deal would wait for it for ever
                why = self.refused.message
                refused = refused_result(submission, why, workflow.now())
                await (self._tell_deal(refused) if self.tells_by_update else self._signal_deal(refused))
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise self.refused from error

    async def _until_submitted(self) -> None:
        await workflow.wait_condition(lambda: self.approval is not None or self.refused is not None)
        if self.refused is not None:
            raise self.refused

    async def _decide(self, request: ask.Request) -> None:
        """One command. Whoever decides is checked against the people as they are at this moment."""
        command, judged = request.command, None
        if isinstance(command, ask.Decide):
            read = self._known()
            await self._look_again()
            if self._known().version != read.version and workflow.patched("people-do-not-outdate"):
                request = as_read(request, read, self._known())
        if needs_judging(command):
            judged = await self._judge(command)
        outcome = decide(self._known(), request, workflow.now(), judged)
        await self._commit(outcome, again=isinstance(command, ask.DelegateSeat))

    async def _judge(self, command: ask.Command) -> Judged:
        """The facts as they are by now, for what is about to be asked."""
        approval = self._known()
        offered = approval.counter.percent if approval.counter else None
        amended = command.percent if isinstance(command, ask.Resubmit) else offered
        judging = Judging(approval=approval, percent=amended if amended is not None else approval.percent)
        judged: Judged = await self.quick(JUDGE_ROUND, judging, Judged, "Which steps does it need now?")
        return judged

    async def _look_again(self) -> None:
        """Let the directory say who may decide, and keep it where that is news."""
        await self._commit(self._as_it_is(), again=True)

    def _as_it_is(self) -> ApprovalOutcome:
        return ApprovalOutcome.model_construct(approval=self._known(), entries=())

    async def _pass_time(self) -> None:
        """Remind, escalate and expire, where it is time for that."""
        due = self._next_due()
        if due is not None and due <= workflow.now():
            async with self.lock:
                await self._commit(fall_due(self._known(), workflow.now()))

    async def _commit(self, outcome: ApprovalOutcome, *, again: bool = False) -> None:
        """Find out who is asked, record all that happened, and only then let it be true.

        Who is asked is told of changes of people by the record. Until that names them, a change of
        theirs reaches nobody: so people are looked at once more when they are newly in it.
        """
        asked = awaited(self.approval)
        await self._keep(await self._find_people(outcome, again=again))
        for _ in range(_LOOKS):
            if awaited(self.approval) <= asked or not workflow.patched("newly-asked-looked-at-again"):
                break
            asked = awaited(self.approval)
            await self._keep(await self._find_people(self._as_it_is(), again=True))

    async def _keep(self, outcome: ApprovalOutcome) -> None:
        """Record what happened; only then it is true."""
        if outcome.entries:
            await self.quick(RECORD_APPROVAL, outcome, None, outcome.entries[0].words[:200])
            self.notices.extend(messages(outcome))
        if outcome.entries and (self.approval is None or self.approval.state is not outcome.approval.state):
            self.results.append(result_of(outcome))
        self.approval = outcome.approval
        self.entries.extend(outcome.entries)
        if outcome.approval.is_open or not self.tells_by_update:
            self._show()  # the end is shown when the deal was told: no write of the server's comes between

    async def _find_people(self, outcome: ApprovalOutcome, *, again: bool) -> ApprovalOutcome:
        """Ask the directory for every step whose turn has come, that escalates, or whose people changed."""
        while wants := to_resolve(outcome.approval, workflow.now(), again=again):
            again = False
            found = await self.quick(RESOLVE_STEPS, wants, Resolution, "Who may decide?")
            more = resolved(outcome.approval, found, workflow.now())
            entries = (*outcome.entries, *more.entries)
            outcome = ApprovalOutcome.model_construct(approval=more.approval, entries=entries)
        return outcome

    async def _tell_the_deal(self) -> None:
        """Let the deal hear how the request stands, in order, beside whoever waits for an answer."""
        while True:
            await workflow.wait_condition(lambda: bool(self.results))
            result, self.deal_is_behind = self.results[0], False
            if not await self._tell_deal(result, tries=1):
                self.deal_is_behind = True
                self._show()
                await self._tell_deal(result)
            self.results.pop(0)
            self._show()

    def may_tell(self) -> bool:
        """People's notices wait for the first try to tell the deal, and take the worker's time after it."""
        return bool(self.notices) and (not self.results or self.deal_is_behind)

    async def _tell_deal(self, result: ApprovalResult, *, tries: int = 0) -> bool:
        """Whether there is nothing left to tell; a deal that has ended hears nothing any more."""
        if result.subject.opportunity_id is None:
            return True
        return await self.patiently(TELL_DEAL, result, f"The request is {result.state.value}", tries=tries)

    async def _tell_in_turn(self) -> None:
        """As requests from before tell: the deal by signals, and then the people."""
        while True:
            await workflow.wait_condition(lambda: bool(self.results or self.notices))
            self.telling = True
            while self.results:
                await self._signal_deal(self.results.pop(0))
            notices, self.notices = self.notices, []
            await asyncio.gather(*(self.tell(message) for message in notices))
            self.telling = False

    async def _signal_deal(self, result: ApprovalResult) -> None:
        deal = result.subject.opportunity_id
        if deal is not None:
            handle = workflow.get_external_workflow_handle(workflow_id(deal))
            with contextlib.suppress(TemporalError):
                await handle.signal(APPROVAL_ENDED, result)

    def _known(self) -> Approval:
        if self.approval is None:
            msg = "The request is not recorded yet."
            raise RuntimeError(msg)
        return self.approval

    def _receipt(self) -> Receipt:
        approval = self._known()
        return Receipt(id=approval.id, version=approval.version)

    def _next_due(self) -> datetime | None:
        return next_due(self._known())

    def _is_too_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _is_quiet(self) -> bool:
        """Nobody waits for an answer, and everybody has been told."""
        told = not (self.results or self.notices or self.telling)
        return told and workflow.all_handlers_finished()

    def _is_over(self) -> bool:
        return not self._known().is_open and self._is_quiet()

    def _may_stop(self) -> bool:
        """This run may end: the request has ended or the history is long, and all is quiet."""
        return (not self._known().is_open or self._is_too_long()) and self._is_quiet()

    def _show(self) -> None:
        """Say in the Temporal UI how the request stands, and let it be searched for."""
        approval, due = self._known(), self._next_due()
        pairs = [SearchAttributePair(STATUS, approval.state.value)]
        self.show([*pairs, SearchAttributePair(NEXT_DUE, due)] if due else pairs, _details(approval))


def _details(approval: Approval) -> str:
    """The request for an operator: state, who is asked, what falls due."""
    lines = [
        f"**{approval.state.value}**: {approval.title}, version {approval.version}",
        "",
        *(f"- {step.title} waits for {people(step.approvers)}" for step in approval.open_steps()),
    ]
    if approval.due_at is not None:
        lines.append(f"- due {approval.due_at:%Y-%m-%d %H:%M} UTC")
    lines.append(f"- expires {approval.expires_at:%Y-%m-%d %H:%M} UTC")
    return "\n".join(lines)
