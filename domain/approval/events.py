"""Everything that can happen to an approval, in words and as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.approval.events_request import (
    Approved,
    CounterAccepted,
    Countered,
    Expired,
    Recalled,
    Rejected,
    Resubmitted,
    Returned,
    Submitted,
    Withdrawn,
)
from domain.approval.events_steps import (
    Escalated,
    PeopleChanged,
    Reminded,
    SeatDelegated,
    StepDecided,
    StepOpened,
)

__all__ = [
    "Approved",
    "CounterAccepted",
    "Countered",
    "Escalated",
    "Event",
    "Expired",
    "PeopleChanged",
    "Recalled",
    "Rejected",
    "Reminded",
    "Resubmitted",
    "Returned",
    "SeatDelegated",
    "StepDecided",
    "StepOpened",
    "Submitted",
    "Withdrawn",
]

Event = Annotated[
    Submitted
    | StepOpened
    | Reminded
    | Escalated
    | PeopleChanged
    | SeatDelegated
    | StepDecided
    | Approved
    | Rejected
    | Returned
    | Resubmitted
    | Countered
    | CounterAccepted
    | Recalled
    | Withdrawn
    | Expired,
    Field(discriminator="type"),
]
