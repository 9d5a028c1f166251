"""What happens to the discounts of a deal. Both sides read it: nothing here tells costs or margins.

What the state needs besides travels with the event only until it is applied, and is
not written down with it (`exclude`). Whom the policy asks, and why, the approval's own events tell.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.approval.policy import PolicyRef
from domain.discount.envelope import Envelope
from domain.discount.facts import DiscountFacts
from domain.discount.state import Discount, DiscountState, OutsideGrant, Uncovered, worth_keeping
from domain.duration import Duration
from domain.money import Money
from domain.opportunity.happening import Happening
from domain.opportunity.state import Opportunity
from domain.percent import Percent
from domain.principal import Actor
from domain.rates import Rates


class DiscountRequested(Happening):
    """Somebody asks for a discount; what it takes is found out at once."""

    type: Literal["discount_requested"] = "discount_requested"
    discount_id: UUID
    percent: Percent
    reason: str
    competitor: str | None = None
    competing_price: Money | None = None
    line: str | None = None
    on: str | None = Field(default=None, description="What the line is called.")
    partner_id: UUID | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        discount = Discount(
            id=self.discount_id,
            percent=self.percent,
            asked_percent=self.percent,
            reason=self.reason,
            competitor=self.competitor,
            competing_price=self.competing_price,
            line=self.line,
            partner_id=self.partner_id,
            requested_by=by,
            requested_at=at,
        )
        deal.discounts = (*worth_keeping(deal.discounts), discount)

    @property
    def only_for(self) -> UUID | None:
        return self.partner_id

    def words(self, by: Actor) -> str:
        on = f" {self.on}" if self.on else ""
        against = f", against {self.competitor}" if self.competitor else ""
        at = f" at {self.competing_price}" if self.competing_price else ""
        return f"{by.name} asked for {self.percent} % off{on}{against}{at}: {self.reason}"


class _DiscountEvent(Happening):
    discount_id: UUID
    percent: Percent
    partner_id: UUID | None = None

    @property
    def only_for(self) -> UUID | None:
        return self.partner_id

    def _change(self, deal: Opportunity, **changes: Any) -> None:
        """What an event says of it; an offer lasts until the next one."""
        deal.discounts = tuple(
            discount.but(**{"offered": None, **changes}) if discount.id == self.discount_id else discount
            for discount in deal.discounts
        )


class _Assessed(_DiscountEvent):
    """What was found out about a request: by which policy and facts, at which rates."""

    policy: PolicyRef
    facts: DiscountFacts | None = Field(default=None, exclude=True)
    rates: Rates

    def _found(self) -> dict[str, Any]:
        return {"policy": self.policy, "facts": self.facts, "rates": self.rates}


class DiscountPending(_Assessed):
    """It needs approval: of `steps`, beside those that approved it before and are not concerned."""

    type: Literal["discount_pending"] = "discount_pending"
    approval_id: UUID
    steps: tuple[str, ...] = Field(default=(), exclude=True)
    carried: tuple[str, ...] = Field(default=(), exclude=True)
    offer: Envelope
    valid: Duration
    waits_for: str | None = Field(default=None, exclude=True)
    due_at: AwareDatetime | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(
            deal,
            **self._found(),
            state=DiscountState.PENDING,
            approval_id=self.approval_id,
            steps=(*self.carried, *self.steps),
            carried=self.carried,
            offer=self.offer,
            valid=self.valid,
            waits_for=self.waits_for,
            due_at=self.due_at,
        )
        deal.policy = deal.policy or self.policy

    def words(self, by: Actor) -> str:
        return f"{self.percent} % needs approval by the policy {self.policy}."


class DiscountGrantedAtOnce(_Assessed):
    """Nobody has to be asked: no rule of the policy fires, or what was granted before covers it."""

    type: Literal["discount_granted_at_once"] = "discount_granted_at_once"
    envelope: Envelope
    carried: tuple[str, ...] = Field(default=(), exclude=True)
    why: str
    replaces: tuple[UUID, ...] = ()

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(
            deal,
            **self._found(),
            state=DiscountState.GRANTED,
            envelope=self.envelope,
            steps=self.carried,
            carried=self.carried,
            ended_at=at,
            note=self.why,
        )
        _replace(deal, self.replaces, at)
        deal.policy = deal.policy or self.policy

    def words(self, by: Actor) -> str:
        return f"{self.percent} % is granted at once by the policy {self.policy}: {self.why}."


class DiscountGranted(_DiscountEvent):
    """The approval said yes, perhaps to less than was asked for."""

    type: Literal["discount_granted"] = "discount_granted"
    approval_id: UUID
    envelope: Envelope
    comment: str | None = None
    replaces: tuple[UUID, ...] = ()
    facts: DiscountFacts | None = Field(default=None, exclude=True)
    steps: tuple[str, ...] = Field(default=(), exclude=True)

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(
            deal,
            state=DiscountState.GRANTED,
            percent=self.percent,
            facts=self.facts,
            steps=self.steps,
            envelope=self.envelope,
            ended_at=at,
            note=self.comment,
            waits_for=None,
            due_at=None,
        )
        _replace(deal, self.replaces, at)

    def words(self, by: Actor) -> str:
        said = f" {self.comment}" if self.comment else ""
        return f"{self.percent} % is granted: {self.envelope.words}.{said}"


def _replace(deal: Opportunity, ids: tuple[UUID, ...], at: datetime) -> None:
    gone = {"state": DiscountState.REPLACED, "ended_at": at}
    deal.discounts = tuple(
        discount.but(**gone) if discount.id in ids else discount for discount in deal.discounts
    )


class DiscountTurned(_DiscountEvent):
    """The approval came back to the requester, with a question or an offer; or went on from there."""

    type: Literal["discount_turned"] = "discount_turned"
    state: Literal[DiscountState.RETURNED, DiscountState.COUNTERED, DiscountState.PENDING]
    comment: str | None = None
    offered: Percent | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=self.state, percent=self.percent, note=self.comment, offered=self.offered)

    def words(self, by: Actor) -> str:
        said = f": {self.comment}" if self.comment else "."
        if self.state is DiscountState.RETURNED:
            return f"The request for {self.percent} % was returned for changes{said}"
        if self.state is DiscountState.COUNTERED:
            return f"{self.offered} % is offered instead of {self.percent} %{said}"
        return f"{self.percent} % waits for approval again{said}"


class DiscountRefused(_DiscountEvent):
    """It is not granted: rejected, taken back, or nobody decided in time. A grant before it holds on."""

    type: Literal["discount_refused"] = "discount_refused"
    state: Literal[DiscountState.REJECTED, DiscountState.RECALLED, DiscountState.EXPIRED]
    comment: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=self.state, ended_at=at, note=self.comment, waits_for=None, due_at=None)

    def words(self, by: Actor) -> str:
        said = f": {self.comment}" if self.comment else "."
        if self.state is DiscountState.REJECTED:
            return f"{self.percent} % was rejected{said}"
        if self.state is DiscountState.RECALLED:
            return f"The request for {self.percent} % was taken back{said}"
        return f"Nobody decided on {self.percent} % in time{said}"


class DiscountLapsed(_DiscountEvent):
    """A grant holds no more: its time is over, or its partner has left."""

    type: Literal["discount_lapsed"] = "discount_lapsed"
    why: str

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(deal, state=DiscountState.LAPSED, ended_at=at, note=self.why)

    def words(self, by: Actor) -> str:
        return f"The grant of {self.percent} % ended: {self.why}."


class DiscountDropped(_DiscountEvent):
    """Somebody gave a request up, or a grant."""

    type: Literal["discount_dropped"] = "discount_dropped"
    reason: str | None = None

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        self._change(
            deal,
            state=DiscountState.DROPPED,
            ended_at=at,
            note=self.reason,
            waits_for=None,
            due_at=None,
        )

    def words(self, by: Actor) -> str:
        said = f": {self.reason}" if self.reason else "."
        return f"{by.name} gave up the discount of {self.percent} %{said}"


class DiscountChecked(Happening):
    """After a change of the deal: what is given is outside of what was granted, or inside again."""

    type: Literal["discount_checked"] = "discount_checked"
    outside: tuple[str, ...]
    partner_id: UUID | None = Field(default=None, description="Whose grants these are, where a partner's.")

    @property
    def only_for(self) -> UUID | None:
        return self.partner_id

    def apply(self, deal: Opportunity, at: datetime, by: Actor) -> None:
        known = deal.discount_outside or OutsideGrant(since=at, shares=())
        deal.discount_outside = known.with_share(
            Uncovered(partner_id=self.partner_id, reasons=self.outside), at
        )

    def words(self, by: Actor) -> str:
        if not self.outside:
            return "The discount is covered by what was granted."
        return f"The discount is not covered by what was granted: {'; '.join(self.outside)}."
