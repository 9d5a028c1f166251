"""What happens to the deal itself: its facts and clocks, its end, its hand-off."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from domain.dates import dated
from domain.money import Money
from domain.opportunity.happening import Happening
from domain.opportunity.state import (
    Customer,
    DealPartner,
    HandOff,
    HandOffState,
    Hold,
    LoseReason,
    Lost,
    Opportunity,
    Pause,
    Person,
    Status,
    Task,
    shifted,
)
from domain.principal import Actor


class Opened(Happening):
    """The deal was opened; its first state is made with it."""

    type: Literal["opportunity_opened"] = "opportunity_opened"
    title: str
    customer: Customer
    amount: Money | None
    expected_close: date | None
    owner: Person | None
    playbook: str
    playbook_version: int
    partners: tuple[DealPartner, ...]
    parent_id: UUID | None = None

    def words(self, by: Actor) -> str:
        why = ", which renews another deal" if self.parent_id else ""
        return f"{by.name} opened “{self.title}” for {self.customer.name}{why}."


class Held(Happening):
    type: Literal["held"] = "held"
    reason: str
    until: AwareDatetime | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.ON_HOLD
        deal.hold = Hold(reason=self.reason, since=at, until=self.until)

    def words(self, by: Actor) -> str:
        until = f" until {dated(self.until)}" if self.until else ""
        return f"{by.name} put the deal on hold{until}: {self.reason}"


def _restart_clocks(deal: Opportunity, since: datetime, at: datetime) -> None:
    """Deadlines that had not passed when the clocks stopped keep the time they had left."""
    deal.put(
        *(task.but(due_at=shifted(task.due_at, at, since)) for task in deal.stage_tasks() if task.is_open)
    )
    deal.stage = deal.stage.but(due_at=shifted(deal.stage.due_at, at, since))
    deal.next_check_in_at = shifted(deal.next_check_in_at, at, since)
    deal.pauses = (*deal.pauses, Pause(since=since, until=at))


class Resumed(Happening):
    type: Literal["resumed"] = "resumed"
    held_since: AwareDatetime
    until: AwareDatetime | None = None
    """When the hold was over, where that was noticed later: no worker ran. None: when it was resumed."""

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        _restart_clocks(deal, self.held_since, self.until or at)
        deal.status = Status.OPEN
        deal.hold = None

    def words(self, by: Actor) -> str:
        return "The hold ended and the deal goes on." if by.is_system else f"{by.name} resumed the deal."


class FieldChange(BaseModel):
    """One field before and after, as text."""

    field: str
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        field = self.field.replace("_", " ")
        return f"{field} from {self.before or 'nothing'} to {self.after or 'nothing'}"


class Changed(Happening):
    """Facts of the deal were changed; only what is named here is different."""

    type: Literal["opportunity_changed"] = "opportunity_changed"
    changes: tuple[FieldChange, ...]
    values: dict[str, Any] = Field(default={}, exclude=True)  # for the state; the timeline keeps the words

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        for field, value in self.values.items():
            setattr(deal, field, value)

    def words(self, by: Actor) -> str:
        return f"{by.name} changed {'; '.join(change.words for change in self.changes)}."


class Noted(Happening):
    type: Literal["note_added"] = "note_added"
    text: str

    def words(self, by: Actor) -> str:
        return f"{by.name} noted: {self.text}"


class Won(Happening):
    """The customer signed. `handoff` is False for a deal that was closed before Tandem knew it."""

    type: Literal["won"] = "won"
    note: str | None = None
    handoff: bool = True
    contract_ends: date | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.WON
        deal.contract_ends = self.contract_ends
        deal.handoff = HandOff(state=HandOffState.PENDING, since=at) if self.handoff else None

    def words(self, by: Actor) -> str:
        return f"{by.name} won the deal.{' ' + self.note if self.note else ''}"


class DealLost(Happening):
    type: Literal["lost"] = "lost"
    reason: LoseReason
    note: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        if deal.hold is not None:  # the clocks stood since the hold began, and go on standing
            _restart_clocks(deal, deal.hold.since, at)
        deal.status = Status.LOST
        deal.hold = None
        deal.lost = Lost(reason=self.reason, note=self.note, at=at, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} lost the deal: {self.reason.label}.{' ' + self.note if self.note else ''}"


class Reopened(Happening):
    type: Literal["reopened"] = "reopened"
    reason: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        if deal.lost is not None:
            _restart_clocks(deal, deal.lost.at, at)
        deal.status = Status.OPEN
        deal.lost = None

    def words(self, by: Actor) -> str:
        return f"{by.name} reopened the deal{': ' + self.reason if self.reason else '.'}"


class HandOffReturned(Happening):
    """Customer success asks for something; `task` is the vendor's, to supply it (None in old timelines)."""

    type: Literal["handoff_returned"] = "handoff_returned"
    comment: str
    task: Task | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        if self.task is not None:
            deal.put(self.task)
        deal.handoff = HandOff(state=HandOffState.RETURNED, since=at, note=self.comment, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} returned the hand-off: {self.comment}"


class HandOffOffered(Happening):
    """What was asked for is there: a hand-off that was returned waits for customer success again."""

    type: Literal["handoff_offered"] = "handoff_offered"

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.handoff = HandOff(state=HandOffState.PENDING, since=at)

    def words(self, by: Actor) -> str:
        return f"{by.name} offered the hand-off to customer success again: all that is required is there."


class HandOffAccepted(Happening):
    type: Literal["handoff_accepted"] = "handoff_accepted"
    comment: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.status = Status.HANDED_OFF
        deal.handoff = HandOff(state=HandOffState.ACCEPTED, since=at, note=self.comment, by=by.name)

    def words(self, by: Actor) -> str:
        return f"{by.name} accepted the hand-off.{' ' + self.comment if self.comment else ''}"
