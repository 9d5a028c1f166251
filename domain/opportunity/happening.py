"""What every event of an opportunity is: a sentence for people, and a change of the state."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.opportunity.state import Opportunity
from domain.principal import Actor
from domain.timeline import Happened


class Happening(Happened):
    """Something that happened to a deal."""

    @property
    def only_for(self) -> UUID | None:
        """The one partner that reads it besides the vendor; None: every partner of the deal does."""
        return None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        """Change the deal as this event says."""
