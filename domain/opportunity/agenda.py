"""What falls due next, computed from the state as absolute UTC instants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

from domain.opportunity.decide_discount import lapse
from domain.opportunity.discounts import in_force
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.events import FellDue, Resumed
from domain.opportunity.stages import settle
from domain.opportunity.state import Opportunity, Status
from domain.principal import SYSTEM


class DueKind(StrEnum):
    HOLD_ENDS = "hold_ends"
    TASK = "task"
    STAGE = "stage"
    CHECK_IN = "check_in"
    EXPECTED_CLOSE = "expected_close"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class DueItem:
    """One deadline, in UTC. `id` names the deadline and its instant: a deadline that moves is a new one."""

    kind: DueKind
    key: str
    what: str
    at: datetime

    @property
    def id(self) -> str:
        return f"{self.kind.value}:{self.key}:{self.at.isoformat()}"


def _items(deal: Opportunity) -> Iterator[DueItem]:
    if deal.is_closed:
        return
    yield from _grants(deal)
    if deal.hold is not None:
        if deal.hold.until is not None:
            yield DueItem(kind=DueKind.HOLD_ENDS, key="", what="The hold", at=deal.hold.until)
        return
    for task in deal.stage_tasks():
        if task.is_open and task.due_at is not None:
            yield DueItem(kind=DueKind.TASK, key=task.key, what=f"“{task.title}”", at=task.due_at)
    if deal.stage.due_at is not None:
        yield DueItem(kind=DueKind.STAGE, key=deal.stage.key, what=deal.stage_title, at=deal.stage.due_at)
    if deal.status is not Status.OPEN:
        return
    if deal.next_check_in_at is not None:
        yield DueItem(kind=DueKind.CHECK_IN, key="", what="A check-in", at=deal.next_check_in_at)
    if deal.expected_close is not None:
        passed = datetime.combine(deal.expected_close, time.max, UTC)
        yield DueItem(kind=DueKind.EXPECTED_CLOSE, key="", what="The expected close", at=passed)


def _grants(deal: Opportunity) -> Iterator[DueItem]:
    """A grant ends also while the deal is on hold; a signed deal has used it."""
    for held in in_force(deal) if deal.status is not Status.WON else ():
        if held.envelope is not None and held.envelope.until is not None:
            what = f"The grant of {held.percent} %"
            yield DueItem(kind=DueKind.GRANT, key=str(held.id), what=what, at=held.envelope.until)


def agenda(deal: Opportunity) -> list[DueItem]:
    """Every deadline of the deal, the earliest first, whether it has passed or not."""
    return sorted(_items(deal), key=lambda item: (item.at, item.kind, item.key))


def next_due(deal: Opportunity) -> datetime | None:
    """When the clock has to speak next; None when nothing is awaited."""
    return min((item.at for item in _items(deal) if item.id not in deal.noted), default=None)


def fall_due(deal: Opportunity, now: datetime) -> Outcome:
    """What the passing of time leads to: each deadline that has passed is said once."""
    draft = Draft(deal, now, SYSTEM)
    for item in agenda(deal):
        if item.at > now or item.id in deal.noted:
            continue
        if item.kind is DueKind.HOLD_ENDS and deal.hold is not None:
            draft.add(Resumed(held_since=deal.hold.since))
            settle(draft)  # what was decided meanwhile may have opened the gate
        elif item.kind is DueKind.GRANT:
            lapse(draft, item.key)
        else:
            draft.add(FellDue(kind=item.kind.value, item=item.id, what=item.what, due_at=item.at))
    return draft.outcome()
