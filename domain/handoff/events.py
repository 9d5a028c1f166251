"""Everything that can happen to a hand-off, in words and as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.handoff.events_acceptance import (
    Begun,
    ClockMoved,
    ReceiverAssigned,
    ReceiverLeft,
    Reminded,
    SellersAwaited,
    Waits,
)
from domain.handoff.events_after import (
    Closed,
    ContractSet,
    FollowUpDue,
    FollowUpEscalated,
    FollowUpLogged,
    FollowUpMissed,
    FollowUpsPlanned,
    RenewalOpened,
)

__all__ = [
    "Begun",
    "ClockMoved",
    "Closed",
    "ContractSet",
    "Event",
    "FollowUpDue",
    "FollowUpEscalated",
    "FollowUpLogged",
    "FollowUpMissed",
    "FollowUpsPlanned",
    "ReceiverAssigned",
    "ReceiverLeft",
    "Reminded",
    "RenewalOpened",
    "SellersAwaited",
    "Waits",
]

Event = Annotated[
    Begun
    | ReceiverAssigned
    | ReceiverLeft
    | Waits
    | ClockMoved
    | SellersAwaited
    | Reminded
    | FollowUpsPlanned
    | FollowUpDue
    | FollowUpMissed
    | FollowUpEscalated
    | FollowUpLogged
    | ContractSet
    | RenewalOpened
    | Closed,
    Field(discriminator="type"),
]
