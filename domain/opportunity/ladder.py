"""The ladders of a deal's deadlines: who is told next while nobody acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from domain.dates import dated, timed
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


class Step(NamedTuple):
    """A rung at its instant (UTC), for one deadline; `number` is its place in the ladder, from 1."""

    of: DueItem
    tell: Tell
    number: int
    at: datetime

    @property
    def order(self) -> tuple[datetime, str, str, int]:
        return (self.at, self.of.kind.value, self.of.key, self.number)

    def event(self) -> Reminded | Escalated:
        """What happens when the step is reached."""
        kind = Escalated if self.tell is Tell.MANAGER else Reminded
        return kind(
            subject=_SUBJECTS[self.of.kind],
            key=self.of.key,
            what=self._what,
            rung=self.number,
            tell=self.tell,
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
            return f"{self.of.what} should be finished by {dated(self.of.at)}"
        return f"{self.of.what} is due on {timed(self.of.at)}"


def steps(deal: Opportunity, items: Iterable[DueItem], until: datetime | None = None) -> Iterator[Step]:
    """The steps for these deadlines that have still to be taken; with `until`, those up to then.

    A step whose time had passed before its deadline was awaited is left out, and so is all
    that the ladders have said. To reckon with business time costs, so what cannot be as soon
    is not reckoned.
    """
    ladders, told = deal.playbook.ladders, deal.told_until
    for item in items:
        subject = _SUBJECTS.get(item.kind)
        if subject is None or (until is not None and item.at - ladders.ahead[subject] > until):
            continue
        due_at, since = item.at, item.since
        later = until is not None and due_at > until
        for number, rung in enumerate(ladders.of(subject), start=1):
            if later and not rung.before:
                continue
            at = _at(deal, due_at, rung)
            if until is not None and at > until:
                continue
            if at > since and (told is None or at > told):
                yield Step(item, _tell(deal, rung), number, at)


def _tell(deal: Opportunity, rung: Rung) -> Tell:
    """Whom the rung tells on this deal: where there is no other side, the owner."""
    return Tell.OWNER if rung.tell is Tell.OTHER_SIDE and not deal.partners else rung.tell


def _at(deal: Opportunity, due_at: datetime, rung: Rung) -> datetime:
    if rung.before:
        return due_at - parse_duration(rung.before)
    return clocked(deal, due_at, rung.after) if rung.after else due_at
