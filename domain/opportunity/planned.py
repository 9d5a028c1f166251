"""A deal's contribution to people's calendars: the deadlines that they plan by.

What the clock says on the way (reminders, silence, what is near) is no plan of anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from domain.opportunity.agenda import DueItem, DueKind
from domain.opportunity.state import Opportunity
from domain.principal import Side
from domain.value import Value


class PlannedKind(StrEnum):
    """What a calendar shows."""

    TASK = "task"
    CHECK_IN = "check_in"
    STAGE = "stage"
    EXPECTED_CLOSE = "expected_close"
    HOLD_ENDS = "hold_ends"
    GRANT = "grant"
    DECISION = "decision"
    """Of a request on the deal, not of the deal itself; the key is the request's id."""
    FOLLOW_UP = "follow_up"
    """Of the deal's hand-off: a check-in with the customer after it; the key is the follow-up's."""
    ACCEPTANCE = "acceptance"
    """Of the deal's hand-off: until when customer success is to accept or return it."""


class Planned(Value):
    """One thing in calendars: at an instant (UTC), or on a `day`, which is the same in every zone.

    It is for the assignee; without one for the side, on the vendor's side that is the
    deal's owner. Without a side it is for everybody on the deal.
    """

    kind: PlannedKind
    key: str
    title: str
    at: AwareDatetime
    day: date | None = None
    side: Side | None = None
    partner_id: UUID | None = None
    assignee_id: UUID | None = None


_ELSEWHERE = frozenset({PlannedKind.DECISION, PlannedKind.FOLLOW_UP, PlannedKind.ACCEPTANCE})
"""What other processes put into calendars, not the deal."""
_SHOWN = frozenset(DueKind(kind.value) for kind in PlannedKind if kind not in _ELSEWHERE)
_TITLES = {
    DueKind.CHECK_IN: "Check-in",
    DueKind.EXPECTED_CLOSE: "Expected close",
    DueKind.HOLD_ENDS: "The hold ends",
}
_OWN = frozenset({DueKind.TASK, DueKind.CHECK_IN, DueKind.GRANT})
"""What is one side's, where it says so. The rest are dates of the deal, which both sides plan by."""


def planned(deal: Opportunity, items: Sequence[DueItem]) -> list[Planned]:
    """What people plan by of these deadlines, in their order; nothing where the deal is closed."""
    return list(_planned(deal, items))


def next_deadline(deal: Opportunity, items: Sequence[DueItem]) -> datetime | None:
    """The first of these deadlines that has not passed; what only reminds of one is none."""
    return min((item.at for item in items if item.kind in _SHOWN and item.id not in deal.noted), default=None)


def _planned(deal: Opportunity, items: Sequence[DueItem]) -> Iterator[Planned]:
    for item in items:
        if item.kind in _SHOWN:
            own = item.kind in _OWN
            yield Planned(
                kind=PlannedKind(item.kind.value),
                key=item.key,
                title=_title(deal, item),
                at=item.at,
                day=deal.expected_close if item.kind is DueKind.EXPECTED_CLOSE else None,
                side=item.side if own else None,
                partner_id=item.partner_id if own else None,
                assignee_id=item.assignee_id if own else None,
            )


def _title(deal: Opportunity, item: DueItem) -> str:
    match item.kind:
        case DueKind.TASK:
            return deal.tasks[item.key].title
        case DueKind.STAGE:
            return f"{item.what} should be finished"
        case DueKind.GRANT:
            return f"{item.what} ends"
        case _:
            return _TITLES[item.kind]
