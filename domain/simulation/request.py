"""A request for approval in a simulation: its process, without a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain.approval import commands as ask
from domain.approval.agenda import fall_due, next_due
from domain.approval.draft import ApprovalOutcome
from domain.approval.resolve import resolve
from domain.approval.rules import decide, resolved, submit, to_resolve, withdraw
from domain.approval.state import Approval, ApprovalState
from domain.principal import Actor
from domain.simulation.desk import Desk
from domain.simulation.world import Command, Script, World

Ended = Callable[[Approval, str | None], None]
"""Hears how a request stands whenever that changes, with what was said last."""


class Request:
    """One request; it tells the deal how it ends, as its process would."""

    def __init__(
        self, world: World, desk: Desk, script: Script, told: Ended, submission: tuple[ask.Submit, Actor]
    ) -> None:
        self.world = world
        self.desk = desk
        self.script = script
        self.told = told
        self.wake_at: datetime | None = None
        command, by = submission
        begun = submit(command, world.now, by)
        self.approval = begun.approval
        self.said: ApprovalState | None = None
        self._commit(begun)

    def decided(self, key: str, request: ask.Request) -> None:
        """Somebody decides on a step, if they are still asked when people are looked at again."""
        self._commit(ApprovalOutcome.model_construct(approval=self.approval, entries=()), again=True)
        if any(step.key == key and step.seat(request.by.id) for step in self.approval.open_steps()):
            self.script.commands.append(
                Command(self.world.now, len(self.script.noted), request, self.approval.id)
            )
            self._commit(decide(self.approval, request, self.world.now))

    def withdrawn(self, reason: str) -> None:
        self._commit(withdraw(self.approval, reason, self.world.now))

    def _commit(self, outcome: ApprovalOutcome, *, again: bool = False) -> None:
        outcome = self._find_people(outcome, again=again)
        self.approval = outcome.approval
        self.world.tally.approval(outcome.entries)
        self.script.note(self.script.stream(self.approval.id), outcome.entries)
        self._set_clock()
        self.desk.follow(self)
        if self.approval.state is not self.said:
            self.said = self.approval.state
            said = self.approval.ended or self.approval.returned
            self.told(self.approval, said.comment if said else None)

    def _find_people(self, outcome: ApprovalOutcome, *, again: bool) -> ApprovalOutcome:
        judge = self.world.trial.rules.judge
        while wants := to_resolve(outcome.approval, self.world.now, again=again):
            again = False
            found = resolve(wants, self.world.cast.directory, judge)
            more = resolved(outcome.approval, found, self.world.now)
            entries = (*outcome.entries, *more.entries)
            outcome = ApprovalOutcome.model_construct(approval=more.approval, entries=entries)
        return outcome

    def _set_clock(self) -> None:
        due = next_due(self.approval)
        if due is not None and due != self.wake_at:
            self.wake_at = due
            self.world.later(due, self._wake)

    def _wake(self) -> None:
        """Time has passed; what was planned before the clock was moved is asleep by now."""
        due = next_due(self.approval)
        if due is not None and due <= self.world.now:
            self._commit(fall_due(self.approval, self.world.now))
