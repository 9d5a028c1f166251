"""The life of a hand-off, from the signature to the renewal: one workflow, `handoff-{opportunity}`.

The rules are in `domain.handoff`; here is what makes them durable: what the deal tells and what
customer success asks for is decided, recorded and then answered, one at a time; calendars are
reckoned with; the clock reminds and follows up; and the next deal is opened, once.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributePair, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.errors import TandemError
    from domain.handoff import commands as ask
    from domain.handoff.agenda import fall_due, next_due, renewal_is_due
    from domain.handoff.clocks import ClockAnswer
    from domain.handoff.draft import HandOffEntry, HandOffOutcome
    from domain.handoff.happening import who
    from domain.handoff.news import HandOffNews
    from domain.handoff.notices import messages
    from domain.handoff.rules import begin, decide, hear, reckoned, renewal_opened, to_reckon
    from domain.handoff.state import HandOffProcess
    from runtime.search_attributes import NEXT_DUE, STATUS
    from workflows.approval_messages import PEOPLE_CHANGED
    from workflows.entity import Entity, Receipt, refusal
    from workflows.handoff_messages import (
        HEARD,
        PREPARE_RENEWAL,
        RECKON_HANDOFF,
        RECORD_HANDOFF,
        HandOffStart,
        HandOffTimeline,
    )
    from workflows.messages import Opening, Start, workflow_id


@workflow.defn
class HandOffWorkflow(Entity):
    """One hand-off. It ends when the renewal is open and nothing more is planned, or when it is closed."""

    @workflow.init
    def __init__(self, start: HandOffStart) -> None:
        super().__init__(start.receipts)
        self.process: HandOffProcess | None = start.process
        self.missed = start.news if start.process is not None else None
        """What the deal said while no process stood for the hand-off: heard before anything else."""
        self.entries: list[HandOffEntry] = []

    @workflow.run
    async def run(self, start: HandOffStart) -> None:
        teller = asyncio.create_task(self.tell_for_ever())
        if start.news is not None and self.process is None:
            async with self.lock:
                await self._commit(begin(start.news, workflow.now()), heard=start.news)
        if self.missed is not None:
            async with self.lock:
                await self._commit(hear(self._known(), self.missed, workflow.now()), heard=self.missed)
            self.missed = None
        self._show()
        while not self._is_over():
            await self.sleep_until_due(self._next_due, self._may_stop)
            await self._pass_time()
            if self._is_too_long() and self._is_quiet() and self._known().is_open:
                workflow.continue_as_new(HandOffStart(process=self._known(), receipts=self.receipts))
        teller.cancel()

    @workflow.update
    async def change(self, request: ask.Request) -> Receipt:
        """Do what is asked, record it, and answer with the version it led to."""
        await self._until_begun()
        async with self.lock:
            if receipt := self.answered():
                return receipt
            try:
                outcome = decide(self._known(), request, workflow.now())
                await self._commit(outcome, again=isinstance(request.command, ask.Assign))
            except TandemError as error:  # somebody was faster, after the validator looked
                raise refusal(error) from error
            return self.answer(Receipt(id=self._known().facts.id, version=self._known().version))

    @change.validator
    def _may_change(self, request: ask.Request) -> None:
        """Refuse before anything is written to the history."""
        if self.process is None or self.missed is not None or self.answered():
            return
        try:
            decide(self.process, request, workflow.now())
        except TandemError as error:
            raise refusal(error) from error

    @workflow.signal(name=HEARD)
    async def heard(self, news: HandOffNews) -> None:
        """The deal has changed: complete, returned, accepted, or only its facts."""
        await self._until_begun()
        async with self.lock:
            await self._commit(hear(self._known(), news, workflow.now()), heard=news)

    @workflow.signal(name=PEOPLE_CHANGED)
    async def people_changed(self) -> None:
        """Who receives it left, lost a role, or works at other times: reckon anew."""
        await self._until_begun()
        async with self.lock:
            nothing = HandOffOutcome.model_construct(process=self._known(), entries=())
            await self._commit(nothing, again=True)

    @workflow.query
    def state(self) -> HandOffProcess:
        """The process as it stands."""
        return self._known()

    @workflow.query
    def timeline(self) -> HandOffTimeline:
        """What happened in this run, in order."""
        return HandOffTimeline(entries=self.entries)

    async def _until_begun(self) -> None:
        await workflow.wait_condition(lambda: self.process is not None and self.missed is None)

    async def _pass_time(self) -> None:
        """Remind, follow up, and open the renewal, where it is time for that."""
        due = self._next_due()
        if due is None or due > workflow.now():
            return
        async with self.lock:
            await self._commit(fall_due(self._known(), workflow.now()))
            if renewal_is_due(self._known(), workflow.now()):
                await self._open_renewal(self._known())

    async def _open_renewal(self, process: HandOffProcess) -> None:
        """Start the next deal. Its id follows from this one, so that a second try finds the first's."""
        what = "What does the renewal take over?"
        opening: Opening = await self.firmly(PREPARE_RENEWAL, process, Opening, what)
        command = opening.command
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                "OpportunityWorkflow",
                Start(opening=opening),
                id=workflow_id(command.id),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=command.title,
            )
        await self._commit(renewal_opened(self._known(), command.id, command.title, workflow.now()))

    async def _commit(
        self, outcome: HandOffOutcome, *, again: bool = False, heard: HandOffNews | None = None
    ) -> None:
        """Reckon with calendars, record all that happened, and only then let it be true."""
        question = to_reckon(outcome.process, workflow.now(), again=again)
        if question is not None:
            what = "Until when, by whose calendar?"
            answer: ClockAnswer = await self.quick(RECKON_HANDOFF, question, ClockAnswer, what)
            outcome = outcome.then(reckoned(outcome.process, answer, workflow.now()))
        if outcome.entries:
            await self.quick(RECORD_HANDOFF, outcome, None, outcome.entries[0].words[:200])
            self.notices.extend(messages(outcome, heard))
        self.process = outcome.process
        self.entries.extend(outcome.entries)
        self._show()

    def _known(self) -> HandOffProcess:
        if self.process is None:
            msg = "The hand-off is not recorded yet."
            raise RuntimeError(msg)
        return self.process

    def _next_due(self) -> datetime | None:
        return next_due(self._known())

    def _is_too_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _is_quiet(self) -> bool:
        """Nobody waits for an answer, and everybody has been told."""
        return self.all_told() and workflow.all_handlers_finished()

    def _is_over(self) -> bool:
        return not self._known().is_open and self._is_quiet()

    def _may_stop(self) -> bool:
        """This run may end: the hand-off has ended or the history is long, and all is quiet."""
        return (not self._known().is_open or self._is_too_long()) and self._is_quiet()

    def _show(self) -> None:
        """Say in the Temporal UI how it stands, and let it be searched for."""
        process, due = self._known(), self._next_due()
        pairs = [SearchAttributePair(STATUS, process.progress.value)]
        self.show([*pairs, SearchAttributePair(NEXT_DUE, due)] if due else pairs, _details(process))


def _details(process: HandOffProcess) -> str:
    """The hand-off for an operator: state, who is awaited, what falls due."""
    lines = [
        f"**{process.progress.value}**: {process.facts.title}, version {process.version}",
        "",
        f"- received by {who(process.receiver)}",
        *(f"- {each.title}: {each.due_at:%Y-%m-%d %H:%M} UTC" for each in process.open_follow_ups()),
    ]
    if process.clock is not None:
        lines.append(f"- to be accepted by {process.clock.due_at:%Y-%m-%d %H:%M} UTC")
    if process.renewal_at is not None:
        lines.append(f"- the renewal opens at {process.renewal_at:%Y-%m-%d %H:%M} UTC")
    return "\n".join(lines)
