"""A hand-off while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.handoff.events import Event
from domain.handoff.state import HandOffProcess
from domain.principal import Actor
from domain.timeline import Drafting
from domain.value import Value


class HandOffEntry(Value):
    """An event as the timeline keeps it. `sequence` is the process's version after it."""

    handoff_id: UUID
    opportunity_id: UUID
    sequence: int
    at: AwareDatetime
    by: Actor
    event: Event
    words: str
    internal: bool


class HandOffOutcome(BaseModel):
    """What a command led to: the process as it is then, and what happened on the way."""

    process: HandOffProcess
    entries: tuple[HandOffEntry, ...] = ()

    def then(self, more: HandOffOutcome) -> HandOffOutcome:
        """This, and what followed from it."""
        return HandOffOutcome.model_construct(process=more.process, entries=self.entries + more.entries)


class Draft(Drafting[HandOffProcess, Event, HandOffEntry]):
    """The hand-off's events as they are decided."""

    @property
    def process(self) -> HandOffProcess:
        return self.state

    def _entry(self, event: Event, at: datetime, by: Actor) -> HandOffEntry:
        return HandOffEntry(
            handoff_id=self.state.id,
            opportunity_id=self.state.facts.id,
            sequence=self.state.version,
            at=at,
            by=by,
            event=event,
            words=event.words(by),
            internal=event.internal,
        )

    def outcome(self) -> HandOffOutcome:
        return HandOffOutcome.model_construct(process=self.state, entries=tuple(self.entries))
