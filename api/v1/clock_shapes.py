"""Time on a deal, as the API answers it: what falls due, who is told then, check-ins, the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from domain.ladder import Tell
from domain.opportunity.agenda import DueItem, DueKind
from domain.opportunity.ladder import Step
from domain.opportunity.state import CheckInFor, Mood, Opportunity
from domain.principal import Side

_SAM: JsonDict = {"id": "0198c5a2-8d11-7a05-8a0b-3a7f6a4e9b21", "name": "Sam Seller"}
AGENDA_ITEM: JsonDict = {
    "kind": "task",
    "key": "share-customer-profile",
    "what": "“Share the customer's profile”",
    "at": "2026-11-05T09:00:00Z",
    "side": "partner",
    "partner_id": "0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10",
    "assignee_id": _SAM["id"],
    "ladder": [{"at": "2026-11-04T09:00:00Z", "tell": "assignee"}],
}


class RungOut(BaseModel):
    """A step of a ladder that is still to come: when, and whom it tells."""

    at: datetime
    tell: Tell


class AgendaItemOut(BaseModel):
    """Something that falls due. Without a side it concerns both; `ladder` is who is told if nobody acts."""

    model_config = ConfigDict(json_schema_extra={"examples": [AGENDA_ITEM]})

    kind: DueKind
    key: str
    what: str
    at: datetime
    side: Side | None
    partner_id: UUID | None
    assignee_id: UUID | None
    ladder: list[RungOut]

    @classmethod
    def of(cls, item: DueItem, steps: Iterable[Step]) -> Self:
        return cls(
            kind=item.kind,
            key=item.key,
            what=item.what,
            at=item.at,
            side=item.side,
            partner_id=item.partner_id,
            assignee_id=item.assignee_id,
            ladder=[RungOut(at=step.at, tell=step.tell) for step in steps],
        )


class LookedAfterBy(BaseModel):
    """The one person who looks after a deal's check-ins, and for which side."""

    id: UUID
    name: str
    side: Side
    partner_id: UUID | None

    @classmethod
    def of(cls, who: CheckInFor) -> Self:
        return cls(id=who.person.id, name=who.person.name, side=who.side, partner_id=who.partner_id)


class CheckInOut(BaseModel):
    """The last check-in."""

    at: datetime
    by: str
    note: str
    mood: Mood | None
    attendees: list[str]


class CheckInsOut(BaseModel):
    """How a deal checks in. `every` is its own cadence; null where its stages say how often."""

    every: str | None = Field(description="Such as 1w or 5bd.")
    who: LookedAfterBy | None = Field(description="Null: both sides.")
    missed: int = Field(description="How many were missed.")
    last: CheckInOut | None

    @classmethod
    def of(cls, deal: Opportunity) -> Self:
        last = deal.last_check_in
        return cls(
            every=deal.cadence.every,
            who=LookedAfterBy.of(deal.cadence.who) if deal.cadence.who else None,
            missed=deal.missed_check_ins,
            last=CheckInOut(**last.model_dump()) if last else None,
        )


CHECK_INS: JsonDict = {"every": None, "who": None, "missed": 0, "last": None}


class DealCalendarOut(BaseModel):
    """Whose business time the deal goes by, and until which day its holidays are known."""

    zone: str
    known_until: date | None

    @classmethod
    def of(cls, deal: Opportunity) -> Self | None:
        held = deal.calendar
        return cls(zone=held.zone, known_until=held.known_until) if held else None
