"""What would happen to a deal if nobody acted: its agenda, its ladders and its triggers, played ahead."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from uuid import uuid5

from pydantic import AwareDatetime

from domain.opportunity.clock import fall_due, next_due
from domain.opportunity.draft import Outcome
from domain.opportunity.facts import facts
from domain.opportunity.rules import judged, rule_to_judge
from domain.opportunity.state import Opportunity
from domain.opportunity.triggers import Judge, answered, fired, to_fire
from domain.value import Value

MAX_FORECAST = 500
"""What a preview shows at most; more is no preview."""


class Forecast(Value):
    """Something that would happen by itself, when (UTC), and whether only the vendor would read it."""

    at: AwareDatetime
    type: str
    words: str
    internal: bool = False


def if_nobody_acts(deal: Opportunity, now: datetime, until: datetime, holds: Judge) -> list[Forecast]:
    """What the clock alone would lead to from `now` until that instant, in order; the deal stays as it is.

    A hold that ends may let the deal go on by itself: then the triggers of its stages fire, where `holds`
    says that their rules do.
    """
    found: list[Forecast] = []
    while (at := next_due(deal)) is not None and at <= until and len(found) < MAX_FORECAST:
        outcome = _with_what_follows(fall_due(deal, max(at, now)), max(at, now), holds)
        deal = outcome.opportunity
        found += [
            Forecast(at=entry.at, type=entry.event.type, words=entry.words, internal=entry.event.internal)
            for entry in outcome.entries
        ]
    return found[:MAX_FORECAST]


def _with_what_follows(outcome: Outcome, at: datetime, holds: Judge) -> Outcome:
    """As the deal's process does it: triggers fire, and then the rule of the stage is asked."""
    outcome = _fired(outcome, at, holds)
    while expression := rule_to_judge(outcome.opportunity):
        asked = outcome.opportunity
        met = holds(expression, facts(asked))
        outcome = _fired(outcome.then(judged(asked, met=met, now=at)), at, holds)
        if outcome.opportunity.stage.key == asked.stage.key:
            break
    return outcome


def _fired(outcome: Outcome, at: datetime, holds: Judge) -> Outcome:
    while (question := to_fire(outcome.opportunity)) is not None:
        deal = outcome.opportunity
        ids = (uuid5(deal.id, f"{deal.version}-{number}") for number in count())
        answers = answered(question, holds, ids.__next__)
        outcome = outcome.then(fired(deal, answers, at))
    return outcome
