"""An approval while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.approval.events import Event
from domain.approval.made import made
from domain.approval.state import Approval
from domain.principal import Actor
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


class Draft:
    """Collects events; each changes the copy at once, so that later rules see it."""

    def __init__(self, approval: Approval, now: datetime, by: Actor) -> None:
        self.approval = approval.copy_to_change()
        self.now = now
        self.by = by
        self.entries: list[ApprovalEntry] = []

    def add(self, event: Event, *, by: Actor | None = None) -> None:
        """Let the event happen now, by the asker unless said otherwise."""
        who, approval = by or self.by, self.approval
        event.apply(approval, self.now, who)
        approval.version += 1
        approval.updated_at = self.now
        self.entries.append(
            made(
                ApprovalEntry,
                approval_id=approval.id,
                opportunity_id=approval.subject.opportunity_id,
                partner_id=approval.subject.partner_id,
                sequence=approval.version,
                at=self.now,
                by=who,
                event=event,
                words=event.words(who),
                internal=event.internal or approval.is_internal,
            )
        )

    def outcome(self) -> ApprovalOutcome:
        return made(ApprovalOutcome, approval=self.approval, entries=tuple(self.entries))
