"""What happens after the acceptance: follow-ups, the contract's end, the renewal, the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from domain.dates import dated, timed
from domain.handoff.happening import HandOffEvent
from domain.handoff.state import (
    Ended,
    EndReason,
    FollowUp,
    FollowUpState,
    HandOffProcess,
    Health,
    Progress,
    Renewal,
)
from domain.opportunity.state import Person
from domain.principal import Actor


class FollowUpsPlanned(HandOffEvent):
    """Customer success has accepted: from now on it looks after the customer."""

    type: Literal["follow_ups_planned"] = "follow_ups_planned"
    follow_ups: tuple[FollowUp, ...]
    receiver: Person | None = None
    accepted_by: Person | None = None
    accepted_at: AwareDatetime

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.clock = None
        process.accepted_at = self.accepted_at
        process.accepted_by = self.accepted_by
        process.receiver = self.receiver
        process.follow_ups = self.follow_ups
        process.follow_ups_planned = True

    def words(self, by: Actor) -> str:
        if not self.follow_ups:
            return "No follow-ups with the customer are planned: the playbook names none."
        days = ", ".join(dated(each.due_at) for each in self.follow_ups)
        return f"Follow-ups with the customer are planned: {days}."


class FollowUpEvent(HandOffEvent):
    """Something about the follow-up `key`; the vendor's own, as all of them are."""

    internal = True

    key: str
    title: str

    def put(self, process: HandOffProcess, **values: object) -> None:
        """Give the follow-up these values."""
        process.follow_ups = tuple(
            each.but(**values) if each.key == self.key else each for each in process.follow_ups
        )


class FollowUpDue(FollowUpEvent):
    """It is time to talk to the customer."""

    type: Literal["follow_up_due"] = "follow_up_due"
    due_at: AwareDatetime

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        self.put(process, state=FollowUpState.DUE)

    def words(self, by: Actor) -> str:
        return f"The follow-up “{self.title}” was due on {timed(self.due_at)}."


class FollowUpMissed(FollowUpEvent):
    """Nobody has logged it in the time that there was."""

    type: Literal["follow_up_missed"] = "follow_up_missed"
    due_at: AwareDatetime
    missed_at: AwareDatetime

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        self.put(process, state=FollowUpState.MISSED)

    def words(self, by: Actor) -> str:
        return f"The follow-up “{self.title}” was missed: it was due on {timed(self.due_at)}."


class FollowUpEscalated(FollowUpEvent):
    """Still nobody has: the manager was told."""

    type: Literal["follow_up_escalated"] = "follow_up_escalated"
    due_at: AwareDatetime
    tell_at: AwareDatetime

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        self.put(process, told=True)

    def words(self, by: Actor) -> str:
        return f"{by.name} told the manager that the follow-up “{self.title}” was missed."


class FollowUpLogged(FollowUpEvent):
    """Somebody talked to the customer. How the customer is, is the vendor's own."""

    type: Literal["follow_up_logged"] = "follow_up_logged"
    extra: bool
    health: Health
    note: str
    next_step: str | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        known = process.follow_up(self.key)
        planned = known or FollowUp(
            key=self.key, title=self.title, due_at=at, missed_at=at, tell_at=at, extra=True
        )
        process.put(planned)
        self.put(
            process,
            state=FollowUpState.DONE,
            health=self.health,
            note=self.note,
            next_step=self.next_step,
            done_at=at,
            done_by=Person(id=by.id, name=by.name) if by.id else None,
        )

    def words(self, by: Actor) -> str:
        following = f" Next step: {self.next_step}" if self.next_step else ""
        health = self.health.label.lower()
        return f"{by.name} logged “{self.title}”. Health: {health}. {self.note}{following}"


class ContractSet(HandOffEvent):
    """The day on which the contract ends, and so when the renewal opens."""

    type: Literal["handoff_contract_set"] = "handoff_contract_set"
    ends: date | None
    before: date | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.contract_ends = self.ends

    def words(self, by: Actor) -> str:
        if self.ends is None:
            return f"{by.name} took back the end of the contract: no renewal opens by itself."
        return f"{by.name} noted that the contract ends on {dated(self.ends)}."


class RenewalOpened(HandOffEvent):
    """The next deal with the customer is open."""

    type: Literal["renewal_opened"] = "renewal_opened"
    opportunity_id: UUID
    title: str
    contract_ends: date

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.renewal = Renewal(opportunity_id=self.opportunity_id, title=self.title, opened_at=at)

    def words(self, by: Actor) -> str:
        return f"{by.name} opened “{self.title}”: the contract ends on {dated(self.contract_ends)}."


class Closed(HandOffEvent):
    """Nothing more is followed up: the renewal goes on in its own deal, or there is none."""

    internal = True

    type: Literal["handoff_ended"] = "handoff_ended"
    reason: EndReason
    note: str | None = None

    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        process.progress = Progress.ENDED
        process.since = at
        process.ended = Ended(reason=self.reason, note=self.note, at=at, by=by)

    def words(self, by: Actor) -> str:
        if self.reason is EndReason.RENEWAL_OPENED:
            return "The hand-off is done: the renewal is open, and nothing more is planned."
        note = f" {self.note}" if self.note else ""
        return f"{by.name} closed the hand-off: {self.reason.label.lower()}.{note}"
