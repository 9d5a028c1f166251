"""What happens on one step: it opens, reminds, escalates, changes hands, is decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from domain.approval.happening import ApprovalEvent, said
from domain.approval.policy import PolicyRef
from domain.approval.state import (
    Alarm,
    AlarmKind,
    Approval,
    Approver,
    Channel,
    Decision,
    HandedSeat,
    Step,
    StepState,
    Verdict,
)
from domain.dates import dated, timed
from domain.opportunity.state import Person
from domain.opportunity.wording import listed
from domain.principal import Actor


def named(approver: Approver) -> str:
    """`Dora Desk`, `Dirk Desk for Dora Desk (away until 5 January 2027)`."""
    return _with_absent(approver.name, approver.stands_in_for, approver.until)


def _with_absent(name: str, absent: Person | None, until: datetime | None) -> str:
    if absent is None:
        return name
    away = f" (away until {dated(until)})" if until is not None else ""
    return f"{name} for {absent.name}{away}"


def people(approvers: Iterable[Approver], word: str = "or") -> str:
    """The approvers, as a sentence names them."""
    return listed((named(each) for each in approvers), word)


class StepEvent(ApprovalEvent):
    """Something on the step `key`; `policy` and `rule` say by what it is there."""

    internal: ClassVar[bool] = True

    key: str
    title: str

    def step(self, approval: Approval) -> Step:
        """The step that it happens to."""
        step = approval.step(self.key)
        assert step is not None, "events are of steps that there are"  # noqa: S101 -- for mypy
        return step


class StepOpened(StepEvent):
    """Its turn has come: these people may decide, until then."""

    type: Literal["approval_step_opened"] = "approval_step_opened"
    rule: str
    policy: PolicyRef | None = None
    approvers: tuple[Approver, ...]
    wanted: int
    level: int
    due_at: AwareDatetime | None
    alarms: tuple[Alarm, ...]
    recheck_at: AwareDatetime | None = None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        approval.put(
            self.step(approval).but(
                state=StepState.OPEN,
                approvers=self.approvers,
                wanted=self.wanted,
                level=self.level,
                opened_at=at,
                due_at=self.due_at,
                alarms=self.alarms,
                recheck_at=self.recheck_at,
            )
        )

    def words(self, by: Actor) -> str:
        due = f", by {timed(self.due_at)}" if self.due_at is not None else ""
        several = f"; {self.wanted} have to agree" if self.wanted > 1 else ""
        return f"{self.title} is asked: {people(self.approvers)}{due}{several}. Rule: {self.rule}"


class Reminded(StepEvent):
    """Some of the time to decide has passed; said once for each reminder."""

    type: Literal["approval_reminded"] = "approval_reminded"
    to: tuple[Person, ...]
    due_at: AwareDatetime | None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        step = self.step(approval)
        approval.put(step.but(alarms=_rung(step.alarms, AlarmKind.REMIND, at)))

    def words(self, by: Actor) -> str:
        return f"{self.title}: {listed((each.name for each in self.to), 'and')} reminded."


def _rung(alarms: tuple[Alarm, ...], kind: AlarmKind, at: datetime, level: int = 0) -> tuple[Alarm, ...]:
    """The alarms, those of this kind that are due or below the level done."""
    return tuple(
        each.but(done=True)
        if each.kind is kind and not each.done and (each.at <= at or each.level <= level > 0)
        else each
        for each in alarms
    )


class _OthersAsked(StepEvent):
    """Who may decide on the step is not who it was; `added` were not asked before."""

    level: int
    approvers: tuple[Approver, ...]
    added: tuple[Approver, ...]
    recheck_at: AwareDatetime | None = None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        step = self.step(approval)
        approval.put(
            step.but(
                level=self.level,
                approvers=self.approvers,
                alarms=_rung(step.alarms, AlarmKind.ESCALATE, at, self.level),
                recheck_at=self.recheck_at,
            )
        )


class Escalated(_OthersAsked):
    """Nobody decided in time, so that others are asked besides; `added` is empty where nobody is left."""

    type: Literal["approval_escalated"] = "approval_escalated"

    def words(self, by: Actor) -> str:
        if not self.added:
            return f"{self.title} is overdue, and there is nobody else to ask."
        return f"{self.title} is overdue: {people(self.added, 'and')} may decide as well."


class PeopleChanged(_OthersAsked):
    """Who may decide is not who it was: somebody left, lost or got a role, went away or came back."""

    type: Literal["approval_people_changed"] = "approval_people_changed"

    def words(self, by: Actor) -> str:
        return f"{self.title}: now {people(self.approvers)} may decide."


class SeatDelegated(StepEvent):
    """Somebody gave their seat on this request to a colleague."""

    type: Literal["approval_delegated"] = "approval_delegated"
    seat: UUID
    absent: Person
    to: Person
    until: AwareDatetime | None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        step = self.step(approval)
        handed = HandedSeat(from_id=self.absent.id, to=self.to, until=self.until)
        others = tuple(each for each in step.handed if each.from_id != self.absent.id)
        sits = {"id": self.to.id, "name": self.to.name, "stands_in_for": self.absent, "until": self.until}
        approval.put(
            step.but(
                handed=(*others, handed),
                approvers=tuple(
                    each.but(**sits) if each.id == self.seat else each for each in step.approvers
                ),
            )
        )

    def words(self, by: Actor) -> str:
        until = f" until {dated(self.until)}" if self.until is not None else ""
        return f"{by.name} gave the decision to {self.to.name}{until} ({self.title})."


class StepDecided(StepEvent):
    """One approver agreed; or disagreed where enough others may still agree."""

    type: Literal["approval_step_decided"] = "approval_step_decided"
    decision: Decision
    policy: PolicyRef | None = None

    def apply(self, approval: Approval, at: datetime, by: Actor) -> None:
        decided(approval, self.step(approval), self.decision)

    def words(self, by: Actor) -> str:
        one = self.decision
        who = _with_absent(one.by.name, one.stands_in_for, one.until)
        verb = "approved" if one.verdict is Verdict.APPROVE else "is against it"
        mail = " by mail" if one.channel is Channel.MAIL else ""
        return f"{who} {verb}{mail} ({self.title}).{said(one.comment)}"


def decided(approval: Approval, step: Step, decision: Decision) -> None:
    """Keep what somebody said; with enough agreement the step is done."""
    after = step.but(
        decisions=(*step.decisions, decision),
        approvers=tuple([each for each in step.approvers if each.id != decision.by.id]),
    )
    if decision.verdict is Verdict.APPROVE and after.approvals >= step.wanted:
        after = finished(after, decision.at)
    approval.put(after)


def finished(step: Step, at: datetime, state: StepState = StepState.APPROVED) -> Step:
    """The step when nobody is awaited on it any more; its clocks stand."""
    return step.but(state=state, closed_at=at, approvers=(), alarms=(), recheck_at=None)
