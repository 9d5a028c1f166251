"""A deal while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.made import made
from domain.opportunity.events import Event
from domain.opportunity.state import Opportunity
from domain.principal import Actor
from domain.timeline import Drafting
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

    def then(self, more: Outcome) -> Outcome:
        """This, and what followed from it."""
        return Outcome.model_construct(opportunity=more.opportunity, entries=self.entries + more.entries)


class Draft(Drafting[Opportunity, Event, TimelineEntry]):
    """The deal's events as they are decided."""

    @property
    def deal(self) -> Opportunity:
        return self.state

    def _entry(self, event: Event, at: datetime, by: Actor) -> TimelineEntry:
        if by.side is not None and not by.is_system:
            self.state.heard = {**self.state.heard, by.side: at}
        return made(
            TimelineEntry,
            opportunity_id=self.state.id,
            sequence=self.state.version,
            at=at,
            by=by,
            event=event,
            words=event.words(by),
        )

    def outcome(self) -> Outcome:
        return made(Outcome, opportunity=self.state, entries=tuple(self.entries))
