"""What every event of an opportunity is: a sentence for people, and a change of the state."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.opportunity.state import Opportunity
from domain.principal import Actor


class Happening(BaseModel):
    """Something that happened, as the timeline keeps it."""

    model_config = ConfigDict(frozen=True)

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        """Change the deal as this event says."""

    @abstractmethod
    def words(self, by: Actor) -> str:
        """The event as a sentence."""
