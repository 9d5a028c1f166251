"""What would happen to a deal if nobody acted: its agenda and its ladders, played ahead."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from domain.opportunity.clock import fall_due, next_due
from domain.opportunity.state import Opportunity
from domain.value import Value

MAX_FORECAST = 500
"""What a preview shows at most; more is no preview."""


class Forecast(Value):
    """Something that would happen by itself, when (UTC), and whether only the vendor would read it."""

    at: AwareDatetime
    type: str
    words: str
    internal: bool = False


def if_nobody_acts(deal: Opportunity, now: datetime, until: datetime) -> list[Forecast]:
    """What the clock alone would lead to from `now` until that instant, in order; the deal stays as it is."""
    found: list[Forecast] = []
    while (at := next_due(deal)) is not None and at <= until and len(found) < MAX_FORECAST:
        outcome = fall_due(deal, max(at, now))
        deal = outcome.opportunity
        found += [
            Forecast(at=entry.at, type=entry.event.type, words=entry.words, internal=entry.event.internal)
            for entry in outcome.entries
        ]
    return found[:MAX_FORECAST]
