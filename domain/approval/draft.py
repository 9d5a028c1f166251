"""An approval while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.approval.events import Event
from domain.approval.state import Approval
from domain.made import made
from domain.principal import Actor
from domain.timeline import Drafting
from domain.value import Value


class ApprovalEntry(Value):
    """An event as the timeline keeps it: who, when, what. `sequence` is the approval's version after it.

    `internal`: only the vendor's people read it. Else those of `partner_id` do as well, and no other partner.
    """

    approval_id: UUID
    opportunity_id: UUID | None
    partner_id: UUID | None
    sequence: int
    at: AwareDatetime
    by: Actor
    event: Event
    words: str
    internal: bool


class ApprovalOutcome(BaseModel):
    """What a command led to: the approval as it is then, and what happened on the way."""

    approval: Approval
    entries: tuple[ApprovalEntry, ...]


class Draft(Drafting[Approval, Event, ApprovalEntry]):
    """The approval's events as they are decided."""

    @property
    def approval(self) -> Approval:
        return self.state

    def _entry(self, event: Event, at: datetime, by: Actor) -> ApprovalEntry:
        approval = self.state
        subject = approval.subject
        return made(
            ApprovalEntry,
            approval_id=approval.id,
            opportunity_id=subject.opportunity_id,
            partner_id=subject.partner_id,
            sequence=approval.version,
            at=at,
            by=by,
            event=event,
            words=event.words(by),
            internal=event.internal or approval.is_internal,
        )

    def outcome(self) -> ApprovalOutcome:
        return made(ApprovalOutcome, approval=self.state, entries=tuple(self.entries))
