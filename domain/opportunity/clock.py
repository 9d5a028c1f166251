"""The passing of time: when the clock has to speak next, and what it then says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from domain.opportunity.agenda import DueItem, DueKind, agenda, same_deadlines
from domain.opportunity.decide_discount import lapse
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.events import FellDue, Resumed
from domain.opportunity.ladder import steps
from domain.opportunity.stages import settle
from domain.opportunity.state import Opportunity
from domain.principal import SYSTEM


class Reckoned(NamedTuple):
    """What falls due on a deal as it is, the earliest first, and when the clock has to speak next."""

    deal: Opportunity
    items: Sequence[DueItem]
    due: datetime | None


def reckon(deal: Opportunity, before: Reckoned | None = None) -> Reckoned:
    """The deal's deadlines; those of `before`, where nothing has changed that they come from."""
    same = before is not None and same_deadlines(before.deal, deal)
    items = before.items if before is not None and same else agenda(deal)
    return Reckoned(deal, items, next_due(deal, items))


def next_due(deal: Opportunity, items: Sequence[DueItem] | None = None) -> datetime | None:
    """When the clock has to speak next; None when nothing is awaited.

    Deadlines cost some reckoning with business time: who has the agenda already gives it as `items`.
    """
    items = agenda(deal) if items is None else items
    deadline = next((item.at for item in items if item.id not in deal.noted), None)
    step = min((step.at for step in steps(deal, items, deadline)), default=deadline)
    return step if deadline is None or step is None else min(deadline, step)


def fall_due(
    deal: Opportunity,
    now: datetime,
    items: Sequence[DueItem] | None = None,
    *,
    holds_end_on_time: bool = True,
) -> Outcome:
    """What the passing of time leads to, in its order: each deadline and each step of a ladder once.

    Who has the deal's agenda already gives it as `items`.

    Without `holds_end_on_time` the clocks of a hold that ended unnoticed stood until now, as they once did.
    """
    draft = Draft(deal, now, SYSTEM)
    all_items = agenda(draft.deal) if items is None else items
    while (at := next_due(draft.deal, all_items)) is not None and at <= now:
        if _say(draft, at, all_items, on_time=holds_end_on_time):
            all_items = agenda(draft.deal)
    return draft.outcome()


def _say(draft: Draft, at: datetime, all_items: Sequence[DueItem], *, on_time: bool) -> bool:
    """All that is due at this instant, and whether the deadlines are others now.

    What changes the deal comes first, and may make the rest untrue.
    """
    items = [item for item in all_items if item.at == at and item.id not in draft.deal.noted]
    said = sorted(
        (step for step in steps(draft.deal, all_items, at) if step.at == at), key=attrgetter("order")
    )
    for item in items:
        if _changes_deal(draft, item, on_time=on_time):
            return True
    for item in items:
        draft.add(
            FellDue(
                kind=item.kind.value,
                item=item.id,
                what=item.what,
                due_at=item.at,
                says=item.says,
                partner_id=item.only_for,
            )
        )
    for step in said:
        draft.add(step.event())
    return False


def _changes_deal(draft: Draft, item: DueItem, *, on_time: bool) -> bool:
    """Whether the deadline is more than news: a hold that ends, a grant whose time is over."""
    if item.kind is DueKind.HOLD_ENDS and draft.deal.hold is not None:
        draft.add(Resumed(held_since=draft.deal.hold.since, until=item.at if on_time else None))
        settle(draft)  # what was decided meanwhile may have opened the gate
        return True
    if item.kind is DueKind.GRANT:
        lapse(draft, item.key)
        return True
    return False
