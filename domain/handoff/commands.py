"""What may be asked of a hand-off's process. Accepting and returning are asked of the deal."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from domain.handoff.state import EndReason, Health
from domain.opportunity.state import Note, Person, Title
from domain.principal import Actor, Role
from domain.value import Input


class Candidate(Input):
    """Whom a hand-off is given to."""

    id: UUID
    name: str
    roles: tuple[Role, ...]

    @property
    def person(self) -> Person:
        return Person(id=self.id, name=self.name)


class Assign(Input):
    """Say who receives it: a colleague, oneself, or (None) whoever of customer success takes it."""

    kind: Literal["assign"] = "assign"
    to: Candidate | None


class LogFollowUp(Input):
    """A check-in with the customer was held; without `key`, one that nobody had planned."""

    kind: Literal["follow_up"] = "follow_up"
    key: str | None = None
    health: Health
    note: Note
    next_step: Title | None = None


class SetContract(Input):
    """The day on which the contract ends; None: it is not known (any more)."""

    kind: Literal["contract"] = "contract"
    ends: date | None


class Close(Input):
    """Nothing more is to be followed up or renewed."""

    kind: Literal["close"] = "close"
    reason: Literal[EndReason.CONTRACT_ENDED, EndReason.CUSTOMER_LEFT, EndReason.OTHER]
    note: Note


Command = Assign | LogFollowUp | SetContract | Close
"""Every command to a hand-off that exists."""


class Request(Input):
    """A command, who gives it, and which version they had in mind (None: whichever is current)."""

    command: Annotated[Command, Field(discriminator="kind")]
    by: Actor
    if_version: int | None = None
