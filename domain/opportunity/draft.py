"""A deal while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.opportunity.events import Event
from domain.opportunity.state import Opportunity
from domain.principal import Actor
from domain.value import Value


class TimelineEntry(Value):
    """An event as the timeline keeps it: who, when, what. `sequence` is the deal's version after it."""

    opportunity_id: UUID
    sequence: int
    at: AwareDatetime
    by: Actor
    event: Event
    words: str


class Outcome(BaseModel):
    """What a command led to: the deal as it is then, and what happened on the way."""

    opportunity: Opportunity
    entries: tuple[TimelineEntry, ...]


class Draft:
    """Collects events; each changes the copy at once, so that later rules see it."""

    def __init__(self, deal: Opportunity, now: datetime, by: Actor) -> None:
        self.deal = deal.copy_to_change()
        self.now = now
        self.by = by
        self.entries: list[TimelineEntry] = []

    def add(self, event: Event, *, by: Actor | None = None, at: datetime | None = None) -> None:
        """Let the event happen, by the asker at the time of asking unless said otherwise."""
        who, when = by or self.by, at or self.now
        event.apply(self.deal, when, who)
        if who.side is not None and not who.is_system:
            self.deal.heard = {**self.deal.heard, who.side: when}
        self.deal.version += 1
        self.deal.updated_at = when
        self.entries.append(
            TimelineEntry(
                opportunity_id=self.deal.id,
                sequence=self.deal.version,
                at=when,
                by=who,
                event=event,
                words=event.words(who),
            )
        )

    def outcome(self) -> Outcome:
        return Outcome.model_construct(opportunity=self.deal, entries=tuple(self.entries))
