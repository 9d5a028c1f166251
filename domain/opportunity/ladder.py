"""The ladders of a deal's deadlines: who is told next while nobody acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.duration import parse_duration
from domain.ladder import Rung, Subject, Tell
from domain.opportunity.agenda import DueItem, DueKind, clocked
from domain.opportunity.events import Escalated, Reminded
from domain.opportunity.state import Opportunity

_SUBJECTS = {
    DueKind.TASK: Subject.TASK,
    DueKind.STAGE: Subject.STAGE,
    DueKind.CHECK_IN: Subject.CHECK_IN,
    DueKind.EXPECTED_CLOSE: Subject.CLOSE,
    DueKind.STALE: Subject.STALE,
}


@dataclass(frozen=True, slots=True)
class Step:
    """A rung at its instant (UTC), for one deadline; `number` is its place in the ladder, from 1."""

    of: DueItem
    rung: Rung
    number: int
    at: datetime

    @property
    def order(self) -> tuple[datetime, str, str, int]:
        return (self.at, self.of.kind.value, self.of.key, self.number)

    def event(self) -> Reminded | Escalated:
        """What happens when the step is reached."""
        kind = Escalated if self.rung.tell is Tell.MANAGER else Reminded
        return kind(
            subject=_SUBJECTS[self.of.kind],
            key=self.of.key,
            what=self._what,
            rung=self.number,
            tell=self.rung.tell,
            due_at=self.of.at,
            at_rung=self.at,
            side=self.of.side,
            partner_id=self.of.partner_id,
            assignee_id=self.of.assignee_id,
        )

    @property
    def _what(self) -> str:
        """What is waited for, in words that are still true when it is read later."""
        if self.of.kind is DueKind.STALE and self.of.says:
            return self.of.says.rstrip(".")
        if self.of.kind is DueKind.STAGE:
            return f"{self.of.what} should be finished by {self.of.at:%-d %B %Y}"
        return f"{self.of.what} is due on {self.of.at:%-d %B %Y, %H:%M} UTC"


def steps(deal: Opportunity, items: Iterable[DueItem], sooner_than: datetime | None = None) -> Iterator[Step]:
    """The steps for these deadlines that have still to be taken; with `sooner_than`, only those before it.

    A step whose time had passed before its deadline was awaited is left out, and so is all
    that the ladders have said. To reckon with business time costs, so what cannot be sooner
    is not reckoned.
    """
    ladders = deal.playbook.ladders
    for item in items:
        subject = _SUBJECTS.get(item.kind)
        for number, rung in enumerate(ladders.of(subject) if subject else (), start=1):
            if not rung.before and sooner_than is not None and item.at >= sooner_than:
                continue
            at = _at(deal, item, rung)
            if at > item.since and (deal.told_until is None or at > deal.told_until):
                yield Step(item, rung, number, at)


def _at(deal: Opportunity, item: DueItem, rung: Rung) -> datetime:
    if rung.before:
        return item.at - parse_duration(rung.before)
    return clocked(deal, item.at, rung.after) if rung.after else item.at
