"""The discounts of a deal as its page shows them, and what a request would lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from api.discounts import DiscountPreview
from api.web.approval_view import Gate, Numbers, chain, numbers
from domain.discount.state import Discount, DiscountState
from domain.discount.submit import in_whose_name
from domain.duration import in_words
from domain.opportunity.discounts import current, line_named, pending, priced
from domain.opportunity.state import Opportunity, Status
from domain.percent import shown
from domain.principal import Action, Principal, Side

_TONES = {
    DiscountState.GRANTED: ("good", "circle-check"),
    DiscountState.REJECTED: ("bad", "circle-x"),
    DiscountState.RETURNED: ("warn", "undo-2"),
    DiscountState.COUNTERED: ("warn", "arrow-right-left"),
    DiscountState.LAPSED: ("warn", "clock"),
    DiscountState.PENDING: ("open", "hourglass"),
    DiscountState.ASKED: ("open", "hourglass"),
}
_OVER = ("plain", "ban")
_TOLD = 5
"""How many requests that are over the page still tells."""


@dataclass(frozen=True, slots=True)
class DiscountLine:
    """One request, and what became of it."""

    discount: Discount
    on: str | None
    waits_for: str | None
    may_drop: bool
    may_answer: bool

    @property
    def tone(self) -> str:
        return _TONES.get(self.discount.state, _OVER)[0]

    @property
    def icon(self) -> str:
        return _TONES.get(self.discount.state, _OVER)[1]

    @property
    def words(self) -> str:
        """`27.5 % on Licences`."""
        return f"{shown(self.discount.percent)} %" + (f" on {self.on}" if self.on else "")

    @property
    def offered(self) -> str | None:
        """What would be granted instead, while the requester has not answered."""
        return f"{shown(self.discount.offered)} %" if self.discount.offered is not None else None

    @property
    def approval(self) -> str | None:
        """The address of its request for approval."""
        return f"/approvals/{self.discount.approval_id}" if self.discount.approval_id else None


@dataclass(frozen=True, slots=True)
class DiscountPart:
    """What the page of a deal says of its discounts."""

    standard: str | None
    pending: DiscountLine | None
    held: list[DiscountLine]
    over: list[DiscountLine]
    outside: tuple[str, ...]
    may_ask: bool


def discounts_of(deal: Opportunity, principal: Principal) -> DiscountPart:
    """The discounts of a deal for this reader."""
    waiting = pending(deal)
    selling = deal.status is Status.OPEN
    may = selling and principal.may(Action.ASK_DISCOUNT)
    held = current(deal)
    over = [each for each in reversed(deal.discounts) if not each.is_pending and each not in held]
    return DiscountPart(
        standard=shown(deal.standard_percent) if deal.standard_percent is not None else None,
        pending=_line(deal, waiting, principal, may=may) if waiting else None,
        held=[_line(deal, each, principal, may=may) for each in held],
        over=[_line(deal, each, principal, may=False) for each in over[:_TOLD]],
        outside=deal.discount_outside.reasons if deal.discount_outside else (),
        may_ask=may and waiting is None,
    )


def _line(deal: Opportunity, discount: Discount, principal: Principal, *, may: bool) -> DiscountLine:
    owner = in_whose_name(deal, discount)
    askers = (discount.requested_by.id, owner.id if owner else None)
    return DiscountLine(
        discount,
        on=_name(deal, discount.line),
        waits_for=discount.held_by(told_to_vendor=principal.side is Side.VENDOR),
        may_drop=may,
        may_answer=discount.state.is_back and principal.id in askers,
    )


def _name(deal: Opportunity, line: str | None) -> str | None:
    """What the part of the deal is called; the line may be gone by now."""
    known = {each.key: each.name for each in deal.lines}
    return known.get(line or "", line)


def parts_of(deal: Opportunity) -> Iterator[tuple[str, str]]:
    """What a discount may be for besides all of the deal: a product line, or one line."""
    yield from ((each, each) for each in dict.fromkeys(line.product_line for line in deal.lines) if each)
    yield from ((line.key, line_named(deal, line.key) or line.key) for line in deal.lines)


class Wish(Protocol):
    """What is asked for."""

    @property
    def percent(self) -> Decimal: ...
    @property
    def line(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a request would lead to: granted at once (`why`), or these steps in this order."""

    numbers: Numbers | None
    gates: list[Gate]
    why: str
    envelope: str
    names_people: bool

    @property
    def granted(self) -> bool:
        return not self.gates


def foreseen(seen: DiscountPreview, deal: Opportunity, wish: Wish, principal: Principal) -> Foreseen:
    """A preview for this reader: a partner learns which steps there are, not who sits there.

    The numbers are in the deal's own currency, the policy's rules in theirs.
    """
    vendor = principal.side is Side.VENDOR
    amount = priced(deal).on(wish.line).amount
    facts = {
        "discount": {"percent": wish.percent, "standard": seen.found.facts.discount.standard},
        "deal": {"amount": amount.amount, "currency": amount.currency} if amount else {},
    }
    steps = seen.steps if vendor else tuple(step.but(rule="", approvers=()) for step in seen.steps)
    return Foreseen(
        numbers=numbers(facts),
        gates=chain(steps, principal),
        why=seen.found.why,
        envelope=f"{seen.found.offer.words}, for {in_words(seen.found.valid)} from the approval on",
        names_people=vendor,
    )


def partner_options(deal: Opportunity) -> list[tuple[UUID, str]]:
    """Which partner may give a discount, where the vendor has to say it."""
    return [(partner.id, partner.name) for partner in deal.partners] if len(deal.partners) > 1 else []
