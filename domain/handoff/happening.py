"""What every event of a hand-off is: a sentence for people, and a change of the state."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from domain.handoff.state import HandOffProcess
from domain.opportunity.state import Person
from domain.principal import Actor
from domain.timeline import Happened


class HandOffEvent(Happened):
    """Something that happened to a hand-off."""

    @abstractmethod
    def apply(self, process: HandOffProcess, at: datetime, by: Actor) -> None:
        """Change the process as this event says."""


def who(receiver: Person | None) -> str:
    """Who is awaited: a person, or customer success as a whole."""
    return receiver.name if receiver else "customer success"
