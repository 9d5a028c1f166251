"""What goes in and out of a courier, and how its activities are called."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.notification.kinds import Channel
from domain.value import Value

LOOK = "look_at_deliveries"
DELIVER = "deliver"
SETTLE = "settle_delivery"
WAKE = "wake"
NOT_NOW = "not_now"
"""The type of an error: nothing was tried, since the database is away or quiet hours have begun."""


class CourierStart(BaseModel):
    """Whose courier it is."""

    user_id: UUID


class Looking(BaseModel):
    """What waits for this person at this instant?"""

    user_id: UUID
    now: AwareDatetime


class Parcel(Value):
    """One message to a person by a channel: all that waits in the batch of that id."""

    user_id: UUID
    batch_id: UUID
    channel: Channel


class Found(BaseModel):
    """What is to be sent now, and when to look again; None when nothing waits beyond that."""

    parcels: tuple[Parcel, ...] = ()
    next_at: AwareDatetime | None = None


class Outcome(BaseModel):
    """How a message went: it is sent, or given up for this reason."""

    parcel: Parcel
    at: AwareDatetime
    error: str | None = None


def courier_id(user_id: UUID) -> str:
    """The id of a person's courier."""
    return f"courier-{user_id}"
