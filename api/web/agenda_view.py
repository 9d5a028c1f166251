"""What falls due on a deal, as its page says it: what is next, and who is told if nobody acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from api.v1.agenda import foreseen, with_ladder
from api.web.calendar_view import KINDS
from api.web.filters import LOCALE
from domain.opportunity.agenda import DueItem, DueKind
from domain.opportunity.ladder import Step
from domain.opportunity.state import Opportunity
from domain.opportunity.wording import listed
from domain.principal import Principal, Side

_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_NEXT_DAYS = range(2, 7)
_ICONS = {kind.value: icon for kind, (_, icon) in KINDS.items()} | {DueKind.STALE.value: "hourglass"}
_QUIET = frozenset({DueKind.GRANT_NEAR, DueKind.CLOSE_NEAR, DueKind.CHECK_IN_MISSED})
"""What only says that something else is near or past: the thing itself is on the list."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is told, and when."""

    when: str
    whom: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """One thing on the agenda."""

    what: str
    when: str
    at: datetime
    icon: str
    whose: str
    overdue: bool
    rungs: list[Rung]


@dataclass(frozen=True, slots=True)
class Agenda:
    """The list, and what comes next in a sentence; empty where nothing is ahead."""

    items: list[Ahead]
    sentence: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Something that would happen by itself; what is internal only the vendor's people read."""

    when: str
    at: datetime
    words: str
    internal: bool


def when(at: datetime, zone: ZoneInfo, now: datetime, *, timed: bool = True) -> str:
    """An instant as one says it: today 10:00, Tuesday 10:00, Mar 5, 10:00; the day alone unless `timed`."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (there.date() - today).days
    near = format_datetime(there, "EEEE", locale=LOCALE) if days in _NEXT_DAYS else _NEAR.get(days)
    if near:
        return f"{near} {there:%H:%M}" if timed else near
    day = format_datetime(there, "MMM d" if there.year == today.year else "MMM d, y", locale=LOCALE)
    return f"{day}, {there:%H:%M}" if timed else day


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a deal's page, where, and when; `vendor` is what a partner calls the other side."""

    principal: Principal
    vendor: str
    zone: ZoneInfo
    now: datetime

    def agenda(self, deal: Opportunity) -> Agenda:
        """What falls due, and what comes next."""
        found = [each for each in with_ladder(deal, self.principal) if each[0].kind not in _QUIET]
        items = [self._ahead(deal, item, told) for item, told in found]
        coming = [f"{_inside(item.what)} {_on(item.when)}" for item in items if not item.overdue][:2]
        sentence = f"Next: {'; then '.join(coming)}." if coming else ""
        return Agenda(items, sentence)

    def foresees(self, deal: Opportunity, days: int) -> list[Foreseen]:
        """What happens in so many days if nobody acts."""
        return [
            Foreseen(when(each.at, self.zone, self.now), each.at, each.words, each.internal)
            for each in foreseen(deal, self.principal, days)
        ]

    def _ahead(self, deal: Opportunity, item: DueItem, told: list[Step]) -> Ahead:
        rungs = [Rung(when(step.at, self.zone, self.now), step.tell.label) for step in told]
        return Ahead(
            what=self._what(deal, item),
            when=self._when(deal, item),
            at=item.at,
            icon=_ICONS.get(item.kind.value, "clock"),
            whose=self._whose(deal, item),
            overdue=item.at < self.now,
            rungs=rungs,
        )

    def _when(self, deal: Opportunity, item: DueItem) -> str:
        if item.kind is DueKind.EXPECTED_CLOSE and deal.expected_close is not None:
            day = datetime.combine(deal.expected_close, time(), self.zone)  # the same day in every zone
            return when(day, self.zone, self.now, timed=False)
        return when(item.at, self.zone, self.now)

    def _what(self, deal: Opportunity, item: DueItem) -> str:
        match item.kind:
            case DueKind.CHECK_IN:
                return f"Check-in with {self._others(deal)}" if deal.partners else "Check-in"
            case DueKind.STAGE:
                return f"{item.what} should be finished"
            case DueKind.HOLD_ENDS | DueKind.GRANT:
                return f"{item.what} ends"
            case _:
                return item.what

    def _others(self, deal: Opportunity) -> str:
        if self.principal.side is Side.PARTNER:
            return self.vendor
        return listed((partner.name for partner in deal.partners), "and")

    def _whose(self, deal: Opportunity, item: DueItem) -> str:
        """Who has to act, by name where it is known."""
        if item.assignee_id is not None:
            task = deal.tasks.get(item.key) if item.kind is DueKind.TASK else None
            assignee = task.assignee if task else deal.cadence.who.person if deal.cadence.who else None
            if assignee is not None:
                return assignee.name
        if item.kind not in {DueKind.TASK, DueKind.CHECK_IN}:
            return ""
        if item.side is None:
            return "Both sides"
        partner = deal.partner(item.partner_id)
        return partner.name if partner else self.vendor if item.side is Side.VENDOR else "A partner"


def _inside(what: str) -> str:
    """A thing within a sentence: check-in with Aster, but “Confirm the budget”."""
    return what[0].lower() + what[1:]


def _on(when_words: str) -> str:
    """On Tuesday 10:00, but today 10:00."""
    return when_words if when_words.startswith(tuple(_NEAR.values())) else f"on {when_words}"
