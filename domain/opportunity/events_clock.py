"""What time brings: deadlines that pass, people who are reminded, check-ins and their cadence."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from domain.calendar import Calendar
from domain.dates import dated, timed
from domain.ladder import Subject, Tell
from domain.opportunity.happening import Happening
from domain.opportunity.state import Cadence, CheckIn, CheckInFor, Mood, Opportunity
from domain.opportunity.wording import listed
from domain.principal import Actor, Side
from domain.span import parse_business


class CheckedIn(Happening):
    """Both sides talked; what was missed before is made good."""

    type: Literal["checked_in"] = "checked_in"
    note: str
    next_step: str | None
    next_check_in_at: AwareDatetime | None
    mood: Mood | None = None
    attendees: tuple[str, ...] = ()

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.last_check_in = CheckIn(
            at=at, by=by.name, note=self.note, mood=self.mood, attendees=self.attendees
        )
        deal.next_check_in_at = self.next_check_in_at
        deal.next_step = self.next_step or deal.next_step

    def words(self, by: Actor) -> str:
        among = f" with {listed(self.attendees, 'and')}" if self.attendees else ""
        mood = f" ({self.mood.value})" if self.mood else ""
        note = self.note
        if self.next_step:
            ends = "" if note.endswith((".", "!", "?")) else "."
            note = f"{note}{ends} Next step: {self.next_step}"
        return f"{by.name} checked in{among}{mood}: {note}"


class CadenceSet(Happening):
    """How often the deal checks in, instead of what its stages say."""

    type: Literal["cadence_set"] = "cadence_set"
    every: str | None
    who: CheckInFor | None
    next_check_in_at: AwareDatetime | None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.cadence = Cadence(every=self.every, who=self.who)
        deal.next_check_in_at = self.next_check_in_at

    def words(self, by: Actor) -> str:
        often = f"every {parse_business(self.every)}" if self.every else "as the stages say"
        who = f", looked after by {self.who.person.name}" if self.who else ""
        return f"{by.name} set the check-ins of this deal: {often}{who}."


class CalendarRefreshed(Happening):
    """The deal goes by another calendar from now on; deadlines that were set stay."""

    type: Literal["calendar_refreshed"] = "calendar_refreshed"
    calendar: Calendar

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.calendar = self.calendar

    def words(self, by: Actor) -> str:
        known = self.calendar.known_until
        until = f", with holidays known until {dated(known)}" if known else ""
        return f"{by.name} refreshed the deal's calendar: {self.calendar.zone}{until}."


class FellDue(Happening):
    """A deadline passed; said once for each deadline."""

    type: Literal["fell_due"] = "fell_due"
    kind: str
    item: str
    what: str
    due_at: AwareDatetime
    says: str | None = None
    """The whole sentence, where “was due” is not what happened."""
    partner_id: UUID | None = None
    """Whose it is, where the others of the deal may not know of it: who gives a discount."""

    @property
    def only_for(self) -> UUID | None:
        return self.partner_id

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.noted = (*deal.noted, self.item)
        if self.kind == "check_in_missed":
            deal.missed_check_ins += 1

    def words(self, by: Actor) -> str:
        return self.says or f"{self.what} was due on {timed(self.due_at)}."


class _Told(Happening):
    """A rung of a ladder spoke: somebody is told that `what` waits."""

    subject: Subject
    key: str
    what: str
    rung: int
    """Its place in the ladder, from 1."""
    tell: Tell
    due_at: AwareDatetime
    at_rung: AwareDatetime
    """When the rung was to speak; later where no worker ran then."""
    side: Side | None = None
    partner_id: UUID | None = None
    assignee_id: UUID | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        deal.told_until = self.at_rung


class Reminded(_Told):
    """Whoever should act, or the other side, was reminded."""

    type: Literal["reminded"] = "reminded"

    def words(self, by: Actor) -> str:
        return f"Tandem reminded {self.tell.label}: {self.what}."


class Escalated(_Told):
    """A manager was told, which is nobody's business but the vendor's."""

    type: Literal["escalated"] = "escalated"
    internal: ClassVar[bool] = True

    def words(self, by: Actor) -> str:
        return f"Tandem told {self.tell.label}: {self.what}."
