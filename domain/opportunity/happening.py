"""What every event of an opportunity is: a sentence for people, and a change of the state."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.opportunity.state import Opportunity
from domain.principal import Actor
from domain.value import Value


class Happening(Value):
    """Something that happened, as the timeline keeps it."""

    internal: ClassVar[bool] = False
    """Only the vendor's people read it."""

    @property
    def only_for(self) -> UUID | None:
        """The one partner that reads it besides the vendor; None: every partner of the deal does."""
        return None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        """Change the deal as this event says."""

    @abstractmethod
    def words(self, by: Actor) -> str:
        """The event as a sentence."""
