"""The discounts of a deal, as its workflow keeps them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from domain.approval.policy import PolicyRef
from domain.discount.envelope import Envelope
from domain.discount.facts import DiscountFacts
from domain.duration import Duration
from domain.money import Money
from domain.percent import HUNDRED, Percent
from domain.principal import THE_VENDOR, Actor
from domain.rates import Rates
from domain.value import Value

MAX_DISCOUNTS = 50
"""Discounts that a deal keeps: it travels as one message of bounded size. See `worth_keeping`."""


def _askable(percent: Decimal) -> Decimal:
    if not 0 < percent < HUNDRED:
        raise ValueError(ASK_BETWEEN)
    return percent


ASK_BETWEEN = 'Ask for more than 0 and less than 100 percent, such as "27.5".'
AskedPercent = Annotated[Percent, AfterValidator(_askable)]
"""A discount that somebody asks for: the total off the list price."""


class DiscountState(StrEnum):
    """How far a request for a discount is.

    Asked is it only while its process finds out who has to approve. Returned and countered, it is the
    requester's turn. Lapsed: it was granted, and its time is over or its partner gone. Replaced: a later
    grant holds instead. Dropped: nobody wants it any more.
    """

    ASKED = "asked"
    PENDING = "pending"
    RETURNED = "returned"
    COUNTERED = "countered"
    GRANTED = "granted"
    REJECTED = "rejected"
    RECALLED = "recalled"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REPLACED = "replaced"
    DROPPED = "dropped"

    @property
    def is_pending(self) -> bool:
        """Somebody still has to say something: an approver, or the requester."""
        return self in _PENDING

    @property
    def is_back(self) -> bool:
        """It is the requester's turn: to amend it, or to take what is offered."""
        return self in _BACK

    @property
    def is_given(self) -> bool:
        """It is what is given at the moment: it holds, or its time is over with none instead."""
        return self in _GIVEN


_PENDING = frozenset(
    {DiscountState.ASKED, DiscountState.PENDING, DiscountState.RETURNED, DiscountState.COUNTERED}
)


_BACK = frozenset({DiscountState.RETURNED, DiscountState.COUNTERED})
_GIVEN = frozenset({DiscountState.GRANTED, DiscountState.LAPSED})


class Discount(Value):
    """One request for a discount on a deal, and what became of it.

    `percent` is the total off the list price, never an addition to what was granted before: until it is
    granted the one asked for, then the one granted. `steps` are the keys of those whose approval the
    grant rests on, also by a request before.
    """

    id: UUID
    percent: Percent
    asked_percent: Percent
    reason: str
    competitor: str | None = None
    competing_price: Money | None = None
    line: str | None = Field(default=None, description="The line or product line it is for; None: all.")
    partner_id: UUID | None = None
    state: DiscountState = DiscountState.ASKED
    requested_by: Actor
    requested_at: AwareDatetime
    approval_id: UUID | None = None
    policy: PolicyRef | None = None
    facts: DiscountFacts | None = None
    rates: Rates = Rates()
    steps: tuple[str, ...] = ()
    carried: tuple[str, ...] = Field(default=(), description="Those of `steps` that a request before had.")
    offered: Percent | None = Field(
        default=None, description="What a counter-offer would grant, until answered."
    )
    waits_for: str | None = Field(default=None, description="Who holds it while it is pending.")
    due_at: AwareDatetime | None = Field(default=None, description="By when the approvers should decide.")
    offer: Envelope | None = Field(default=None, description="What is granted if it is approved as asked.")
    valid: Duration | None = Field(default=None, description="How long it would hold, from the approval on.")
    envelope: Envelope | None = None
    ended_at: AwareDatetime | None = None
    note: str | None = Field(default=None, description="What was said when it was decided or ended.")

    @property
    def is_pending(self) -> bool:
        return self.state.is_pending

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys of the steps that this request itself was asked of."""
        if self.approval_id is None:
            return ()
        return tuple(key for key in self.steps if key not in self.carried)

    def held_by(self, *, told_to_vendor: bool) -> str | None:
        """Who holds it: a partner does not learn which steps, which would tell it costs and margins."""
        if self.state.is_back:
            return self.requested_by.name
        return self.waits_for if told_to_vendor or self.waits_for is None else THE_VENDOR

    @property
    def decide_by(self) -> datetime | None:
        """By when the approvers should decide, while it is their turn."""
        return None if self.state.is_back else self.due_at

    @property
    def is_in_force(self) -> bool:
        return self.state is DiscountState.GRANTED


def worth_keeping(discounts: tuple[Discount, ...]) -> tuple[Discount, ...]:
    """What a deal keeps when one more is asked for: as many as there may be, less one.

    What is over is forgotten, where there are too many: first what nobody had to approve, the oldest first.
    The timeline has it all the same. What waits, is in force or has lapsed is kept in any case.
    """
    over = [each for each in discounts if not (each.is_pending or each.state.is_given)]
    over.sort(key=lambda each: each.approval_id is not None)
    forgotten = {each.id for each in over[: max(len(discounts) - MAX_DISCOUNTS + 1, 0)]}
    return tuple(each for each in discounts if each.id not in forgotten)


class Uncovered(Value):
    """Why what one partner (None: the vendor) gives is not covered by what was granted, in words."""

    partner_id: UUID | None = None
    reasons: tuple[str, ...]


NOT_TOLD = "what a partner of this deal gives is more than it was granted"
"""What the other partners of a deal learn of it."""


class OutsideGrant(Value):
    """What is given and not covered by what was granted; and since when."""

    since: AwareDatetime
    shares: tuple[Uncovered, ...]

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_kept(cls, values: Any) -> Any:
        """Reasons were kept without saying whose they are: no partner reads those."""
        if isinstance(values, dict) and "reasons" in values:
            share = {"partner_id": UUID(int=0), "reasons": values["reasons"]}
            return {"since": values["since"], "shares": [share]}
        return values

    @property
    def reasons(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(why for share in self.shares for why in share.reasons))

    def of(self, partner_id: UUID | None) -> tuple[str, ...]:
        """Why what this partner gives is not covered; nothing, where it is."""
        return next((share.reasons for share in self.shares if share.partner_id == partner_id), ())

    def with_share(self, new: Uncovered, at: datetime) -> Self | None:
        """The same with other reasons for one of them; None where all is covered."""
        others = tuple(share for share in self.shares if share.partner_id != new.partner_id)
        shares = (*others, new) if new.reasons else others
        return self.but(since=at, shares=shares) if shares else None

    def read_by(self, partner_id: UUID) -> Self:
        """What a partner reads: its own reasons, and of the others' that there are some."""
        own = tuple(share for share in self.shares if share.partner_id in (None, partner_id))
        told = own if own == self.shares else (*own, Uncovered(reasons=(NOT_TOLD,)))
        return self.but(shares=told)
