"""What falls due on a deal, computed from its state as absolute UTC instants.

A deadline is named by what it is and by its instant, so that one which moves is a
new one. Each is said once. What the ladders say in between is in `ladder`.

Instants are reckoned after every change of every deal, words are read by few: they
are found when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, time
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from domain.calendar import after
from domain.dates import dated
from domain.duration import parse_duration
from domain.opportunity.discounts import in_force
from domain.opportunity.stages import calendar_of
from domain.opportunity.state import DealPartner, Opportunity, Status, Task
from domain.opportunity.wording import listed
from domain.percent import Percent
from domain.playbook import Playbook
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


class Words(NamedTuple):
    """A deadline for people: what is due, and where that is not what happened, the sentence for it."""

    what: str
    says: str | None = None


class DueItem(NamedTuple):
    """One deadline, in UTC. Whose it is: the side's, a partner's, an assignee's; None is everybody's."""

    kind: DueKind
    key: str
    words: Callable[[], Words]
    at: datetime
    since: datetime
    """When it began to be awaited: a reminder for an earlier time would be no reminder."""
    side: Side | None = None
    partner_id: UUID | None = None
    assignee_id: UUID | None = None
    only_for: UUID | None = None
    """The one partner that may know of it besides the vendor; None: every partner of the deal may."""

    @property
    def what(self) -> str:
        return self.words().what

    @property
    def says(self) -> str | None:
        """The sentence for when it falls due, where it is not that something was due."""
        return self.words().says

    @property
    def id(self) -> str:
        return f"{self.kind.value}:{self.key}:{self.at.isoformat()}"

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.at, _ORDER[self.kind], self.key)


def clocked(deal: Opportunity, start: datetime, span: str) -> datetime:
    """When so much time has passed since `start` by the deal's calendar, not counting holds (UTC)."""
    at = after(calendar_of(deal), start, span)
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
            yield DueItem(DueKind.HOLD_ENDS, "", _of_hold, deal.hold.until, deal.hold.since)
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
        grant = DueItem(
            DueKind.GRANT,
            str(held.id),
            partial(_of_grant, held.percent),
            until,
            held.requested_at,
            Side.VENDOR,
            only_for=held.partner_id,
        )
        yield grant
        if near and deal.hold is None:
            words = partial(_of_grant, held.percent, until)
            yield grant._replace(kind=DueKind.GRANT_NEAR, at=until - parse_duration(near), words=words)


def _of_hold() -> Words:
    return Words("The hold")


def _of_grant(percent: Percent, until: datetime | None = None) -> Words:
    what = f"The grant of {percent} %"
    return Words(what, f"{what} ends on {dated(until)}." if until else None)


def _stage(deal: Opportunity) -> Iterator[DueItem]:
    for task in deal.stage_tasks():
        if task.is_open and task.due_at is not None:
            stands_in = task.side is Side.PARTNER and deal.partner(task.partner_id) is None
            yield DueItem(
                DueKind.TASK,
                task.key,
                partial(_of_task, task),
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
            partial(_of_stage, deal.playbook, deal.stage.key),
            deal.stage.due_at,
            deal.stage.entered_at,
            Side.VENDOR,
        )


def _of_task(task: Task) -> Words:
    return Words(f"“{task.title}”")


def _of_stage(playbook: Playbook, key: str) -> Words:
    return Words(playbook.template(key).title)


def _check_ins(deal: Opportunity) -> Iterator[DueItem]:
    """For the one who looks after them, or for both sides."""
    at, who = deal.next_check_in_at, deal.cadence.who
    if at is None:
        return
    since = deal.last_check_in.at if deal.last_check_in else deal.stage.entered_at
    item = DueItem(
        DueKind.CHECK_IN,
        "",
        partial(_of_check_in, deal.partners),
        at,
        since,
        who.side if who else None,
        who.partner_id if who else None,
        who.person.id if who else None,
    )
    yield item
    if deal.playbook.clock.missed:
        missed = clocked(deal, at, deal.playbook.clock.missed)
        words = partial(_of_check_in, deal.partners, at)
        yield item._replace(kind=DueKind.CHECK_IN_MISSED, at=missed, words=words)


def _of_check_in(partners: Iterable[DealPartner], missed: datetime | None = None) -> Words:
    names = listed((partner.name for partner in partners), "and")
    what = f"A check-in with {names}" if names else "A check-in"
    return Words(what, f"{what} was missed: it was due on {dated(missed)}." if missed else None)


def _close(deal: Opportunity) -> Iterator[DueItem]:
    if deal.expected_close is None:
        return
    passed = datetime.combine(deal.expected_close, time.max, UTC)
    yield DueItem(DueKind.EXPECTED_CLOSE, "", _of_close, passed, deal.created_at, Side.VENDOR)
    if near := deal.playbook.clock.close_near:
        at, words = passed - parse_duration(near), partial(_of_close, passed)
        yield DueItem(DueKind.CLOSE_NEAR, "", words, at, deal.created_at, Side.VENDOR)


def _of_close(near: datetime | None = None) -> Words:
    return Words("The expected close", f"The expected close is near: {dated(near)}." if near else None)


def _silence(deal: Opportunity) -> Iterator[DueItem]:
    """A side from which nothing was heard for long. Before it ever did something, since the deal began."""
    stale = deal.playbook.clock.stale
    if not stale:
        return
    for side in Side:
        if side is Side.PARTNER and not deal.partners:
            continue
        heard = deal.heard.get(side, deal.created_at)
        words = partial(_of_silence, side, deal.partners, heard)
        yield DueItem(DueKind.STALE, side.value, words, clocked(deal, heard, stale), heard, side)


def _of_silence(side: Side, partners: Iterable[DealPartner], heard: datetime) -> Words:
    who = "the vendor" if side is Side.VENDOR else listed((each.name for each in partners), "or")
    return Words(f"Silence of {who}", f"Nothing was heard from {who} since {dated(heard)}.")


def agenda(deal: Opportunity) -> list[DueItem]:
    """Every deadline of the deal, the earliest first, whether it has passed or not."""
    return sorted(deadlines(deal), key=attrgetter("order"))


_FROM = attrgetter(
    "status",
    "stage",
    "hold",
    "handoff",
    "tasks",
    "partners",
    "discounts",
    "playbook",
    "calendar",
    "pauses",
    "heard",
    "expected_close",
    "next_check_in_at",
    "last_check_in",
    "cadence",
    "created_at",
)
"""All of a deal that its deadlines are reckoned from."""


def same_deadlines(before: Opportunity, after: Opportunity) -> bool:
    """Whether a deal has the same deadlines, for the same reasons, as it had before.

    What did not change is shared by both, so that this is much quicker than to reckon them.
    """
    return bool(_FROM(before) == _FROM(after))
