"""A hand-off while it is being changed: events apply as they are decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.handoff.events import Event
from domain.handoff.state import HandOffProcess
from domain.principal import Actor
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


class Draft:
    """Collects events; each changes the copy at once, so that later rules see it."""

    def __init__(self, process: HandOffProcess, now: datetime, by: Actor) -> None:
        self.process = process.copy_to_change()
        self.now = now
        self.by = by
        self.entries: list[HandOffEntry] = []

    def add(self, event: Event, *, by: Actor | None = None) -> None:
        """Let the event happen now, by the asker unless said otherwise."""
        who, process = by or self.by, self.process
        event.apply(process, self.now, who)
        process.version += 1
        process.updated_at = self.now
        self.entries.append(
            HandOffEntry(
                handoff_id=process.id,
                opportunity_id=process.facts.id,
                sequence=process.version,
                at=self.now,
                by=who,
                event=event,
                words=event.words(who),
                internal=event.internal,
            )
        )

    def outcome(self) -> HandOffOutcome:
        return HandOffOutcome.model_construct(process=self.process, entries=tuple(self.entries))
