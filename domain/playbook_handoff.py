"""What a playbook says about the time after winning: accepting, following up, renewing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.duration import Duration
from domain.span import BusinessDuration
from domain.value import Input


class HandOffTell(StrEnum):
    """Whom a rung of the hand-off's ladder tells."""

    RECEIVER = "receiver"
    """Who receives it; all of customer success while nobody does."""
    CUSTOMER_SUCCESS = "customer_success"
    OWNER = "owner"
    """Who sold it; the sales director where nobody owns the deal."""
    MANAGER = "manager"
    """The receiver's manager; the sales director where nobody receives it."""
    SALES_DIRECTOR = "sales_director"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    HandOffTell.RECEIVER: "the receiver",
    HandOffTell.CUSTOMER_SUCCESS: "all of customer success",
    HandOffTell.OWNER: "the deal's owner",
    HandOffTell.MANAGER: "the receiver's manager",
    HandOffTell.SALES_DIRECTOR: "the sales director",
}


class HandOffRung(Input):
    """One step of the ladder: so long after the hand-off is complete, and not accepted, somebody is told."""

    after: BusinessDuration = Field(description="Time since it waits, by the receiver's calendar.")
    tell: HandOffTell = Field(description="Who is told.")


class FollowUpTemplate(Input):
    """A check-in of customer success with the customer, after the acceptance."""

    after: BusinessDuration = Field(description="Time from the acceptance to the follow-up.")
    title: Annotated[str, Field(min_length=1, max_length=120)]
    missed_after: BusinessDuration = Field(
        default="3bd",
        description="It is missed so long after it was due; as long again, and the manager is told.",
    )


class RenewalTemplate(Input):
    """The next deal with the customer, opened by itself before the contract ends."""

    before: Duration = Field(default="90d", description="So long before the contract ends it is opened.")
    playbook: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        default=None, description="The key of the renewal's playbook; without it, the deal's own."
    )


class AfterWinning(Input):
    """What follows when the seller's part is done."""

    accept_within: BusinessDuration = Field(
        default="2bd", description="How long customer success has to accept or return a complete hand-off."
    )
    answer_within: BusinessDuration = Field(
        default="2bd", description="How long the vendor has to supply what a returned hand-off asks for."
    )
    ladder: Annotated[tuple[HandOffRung, ...], Field(max_length=10)] = Field(
        default=(
            HandOffRung(after="1bd", tell=HandOffTell.RECEIVER),
            HandOffRung(after="2bd", tell=HandOffTell.CUSTOMER_SUCCESS),
            HandOffRung(after="3bd", tell=HandOffTell.MANAGER),
        ),
        description="Who is told, one after the other, while nobody accepts.",
    )
    follow_ups: Annotated[tuple[FollowUpTemplate, ...], Field(max_length=20)] = Field(
        default=(), description="Check-ins with the customer after the acceptance."
    )
    renewal: RenewalTemplate = RenewalTemplate()
