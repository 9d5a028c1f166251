"""What falls due on a deal, computed from its state as absolute UTC instants.

A deadline is named by what it is and by its instant, so that one which moves is a
new one. Each is said once. What the ladders say in between is in `ladder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from enum import StrEnum
from uuid import UUID

from domain.calendar import after, parse_business
from domain.duration import parse_duration
from domain.opportunity.discounts import in_force
from domain.opportunity.stages import calendar_of
from domain.opportunity.state import Opportunity, Status
from domain.opportunity.wording import listed
from domain.principal import Side


class DueKind(StrEnum):
    """What a deadline is about; those of one instant are said in this order."""

    HOLD_ENDS = "hold_ends"
    GRANT = "grant"
    GRANT_NEAR = "grant_near"
    TASK = "task"
    STAGE = "stage"
    CHECK_IN = "check_in"
    CHECK_IN_MISSED = "check_in_missed"
    CLOSE_NEAR = "close_near"
    EXPECTED_CLOSE = "expected_close"
    STALE = "stale"


_ORDER = {kind: place for place, kind in enumerate(DueKind)}


@dataclass(frozen=True, slots=True)
class DueItem:
    """One deadline, in UTC. Whose it is: the side's, a partner's, an assignee's; None is everybody's."""

    kind: DueKind
    key: str
    what: str
    at: datetime
    since: datetime
    """When it began to be awaited: a reminder for an earlier time would be no reminder."""
    side: Side | None = None
    partner_id: UUID | None = None
    assignee_id: UUID | None = None
    says: str | None = None
    """The sentence for when it falls due, where it is not that something was due."""
    only_for: UUID | None = None
    """The one partner that may know of it besides the vendor; None: every partner of the deal may."""

    @property
    def id(self) -> str:
        return f"{self.kind.value}:{self.key}:{self.at.isoformat()}"

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.at, _ORDER[self.kind], self.key)


def clocked(deal: Opportunity, start: datetime, span: str) -> datetime:
    """When so much time has passed since `start` by the deal's calendar, not counting holds (UTC)."""
    at = after(calendar_of(deal), start, parse_business(span))
    for pause in deal.pauses:
        if start <= pause.since < at:
            at += pause.until - pause.since
    return at


def deadlines(deal: Opportunity) -> Iterator[DueItem]:
    """Every deadline of the deal, whether it has passed or not, in no order."""
    if deal.is_closed:
        return
    yield from _grants(deal)
    if deal.hold is not None:
        if deal.hold.until is not None:
            yield DueItem(DueKind.HOLD_ENDS, "", "The hold", deal.hold.until, deal.hold.since)
        return
    yield from _stage(deal)
    if deal.status is Status.OPEN:
        yield from _check_ins(deal)
        yield from _close(deal)
        yield from _silence(deal)


def _grants(deal: Opportunity) -> Iterator[DueItem]:
    """A grant ends also while the deal is on hold; a signed deal has used it."""
    near = deal.playbook.clock.grant_near
    for held in in_force(deal) if deal.status is not Status.WON else ():
        until = held.envelope.until if held.envelope else None
        if until is None:
            continue
        what = f"The grant of {held.percent} %"
        grant = DueItem(
            DueKind.GRANT,
            str(held.id),
            what,
            until,
            held.requested_at,
            Side.VENDOR,
            only_for=held.partner_id,
        )
        yield grant
        if near and deal.hold is None:
            says = f"{what} ends on {_day(until)}."
            at = until - parse_duration(near)
            yield replace(grant, kind=DueKind.GRANT_NEAR, at=at, says=says)


def _stage(deal: Opportunity) -> Iterator[DueItem]:
    for task in deal.stage_tasks():
        if task.is_open and task.due_at is not None:
            stands_in = task.side is Side.PARTNER and deal.partner(task.partner_id) is None
            yield DueItem(
                DueKind.TASK,
                task.key,
                f"“{task.title}”",
                task.due_at,
                task.opened_at,
                Side.VENDOR if stands_in else task.side,
                None if stands_in else task.partner_id,
                task.assignee.id if task.assignee else None,
            )
    if deal.stage.due_at is not None:
        yield DueItem(
            DueKind.STAGE,
            deal.stage.key,
            deal.stage_title,
            deal.stage.due_at,
            deal.stage.entered_at,
            Side.VENDOR,
        )


def _check_ins(deal: Opportunity) -> Iterator[DueItem]:
    """For the one who looks after them, or for both sides."""
    at, who = deal.next_check_in_at, deal.cadence.who
    if at is None:
        return
    since = deal.last_check_in.at if deal.last_check_in else deal.stage.entered_at
    among = f" with {listed((partner.name for partner in deal.partners), 'and')}" if deal.partners else ""
    item = DueItem(
        DueKind.CHECK_IN,
        "",
        f"A check-in{among}",
        at,
        since,
        who.side if who else None,
        who.partner_id if who else None,
        who.person.id if who else None,
    )
    yield item
    if deal.playbook.clock.missed:
        missed = clocked(deal, at, deal.playbook.clock.missed)
        says = f"{item.what} was missed: it was due on {_day(at)}."
        yield replace(item, kind=DueKind.CHECK_IN_MISSED, at=missed, says=says)


def _close(deal: Opportunity) -> Iterator[DueItem]:
    if deal.expected_close is None:
        return
    passed = datetime.combine(deal.expected_close, time.max, UTC)
    yield DueItem(DueKind.EXPECTED_CLOSE, "", "The expected close", passed, deal.created_at, Side.VENDOR)
    if near := deal.playbook.clock.close_near:
        says = f"The expected close is near: {_day(passed)}."
        at = passed - parse_duration(near)
        yield DueItem(
            DueKind.CLOSE_NEAR, "", "The expected close", at, deal.created_at, Side.VENDOR, says=says
        )


def _silence(deal: Opportunity) -> Iterator[DueItem]:
    """A side from which nothing was heard for long. Before it ever did something, since the deal began."""
    stale = deal.playbook.clock.stale
    if not stale:
        return
    for side in Side:
        if side is Side.PARTNER and not deal.partners:
            continue
        heard = deal.heard.get(side, deal.created_at)
        who = "the vendor" if side is Side.VENDOR else listed((p.name for p in deal.partners), "or")
        says = f"Nothing was heard from {who} since {_day(heard)}."
        at = clocked(deal, heard, stale)
        yield DueItem(DueKind.STALE, side.value, f"Silence of {who}", at, heard, side, says=says)


def _day(at: datetime) -> str:
    return f"{at:%-d %B %Y}"


def agenda(deal: Opportunity) -> list[DueItem]:
    """Every deadline of the deal, the earliest first, whether it has passed or not."""
    return sorted(deadlines(deal), key=lambda item: item.order)
