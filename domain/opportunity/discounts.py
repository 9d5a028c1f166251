"""The discounts of a deal: which one is pending, what is granted, and what keeps the deal because of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.discount.envelope import Priced, PricedPart, fits, in_words
from domain.discount.state import Discount
from domain.errors import DiscountOutsideGrant, InvalidInput
from domain.money import Money
from domain.opportunity.lines import DealLine
from domain.opportunity.state import DealPartner, Opportunity
from domain.playbook import PartnerRole
from domain.principal import Actor, Side

_SELLS_FIRST = (PartnerRole.RESELLER, PartnerRole.DISTRIBUTOR, PartnerRole.MANAGED_SERVICE)
"""Partners that set the customer's price, before those that only help to sell."""


def pending(deal: Opportunity) -> Discount | None:
    """The request that somebody still has to say something about: there is one at most."""
    return next((discount for discount in deal.discounts if discount.is_pending), None)


def find(deal: Opportunity, discount_id: object) -> Discount | None:
    return next((discount for discount in deal.discounts if discount.id == discount_id), None)


def in_force(deal: Opportunity) -> list[Discount]:
    """The grants that hold, for different parts of the deal, the newest first."""
    return [discount for discount in reversed(deal.discounts) if discount.is_in_force]


def current(deal: Opportunity) -> list[Discount]:
    """What is given at the moment: grants that hold, and those whose time is over with none instead."""
    return [discount for discount in reversed(deal.discounts) if discount.state.is_given]


def granted_percent(deal: Opportunity, line: DealLine) -> Decimal:
    """What was granted for this line; 0 where nothing was."""
    covering = (
        discount.envelope.max_percent
        for discount in in_force(deal)
        if discount.envelope and discount.envelope.line in (None, line.key, line.product_line)
    )
    return max(covering, default=Decimal(0))


def priced(deal: Opportunity) -> Priced:
    """The deal at list price, as envelopes look at it."""
    totals = deal.line_totals
    return Priced(
        amount=Money(amount=totals.list_amount, currency=totals.currency) if totals else deal.amount,
        parts=tuple(
            PricedPart(line.key, line.name, line.product_line, line.list_amount, line.discount_percent)
            for line in deal.lines
        ),
        partner_ids=tuple(partner.id for partner in deal.partners),
    )


def demand_as_signed(deal: Opportunity, amount: Money | None, now: datetime) -> None:
    """What was signed stays within what was granted for it: nothing asks again after the signature.

    Raises:
        DiscountOutsideGrant: the deal would come to less, or give away more, than was granted.
    """
    would_be = replace(priced(deal), amount=amount)
    for held in in_force(deal):
        if held.envelope is None or not held.steps:
            continue
        bounds = held.envelope.but(until=None, partner_id=None)
        if violations := fits(bounds, would_be, held.rates, now):
            raise DiscountOutsideGrant(
                f"“{deal.title}” was won with a discount, and {in_words(violations)}. "
                "What was signed stays as it was granted."
            )


def giver(deal: Opportunity, partner_id: object, by: Actor) -> DealPartner | None:
    """The partner that gives the discount: the asker's own, the one named, or the one that sets the price.

    Raises: InvalidInput, when the one named is not on the deal.
    """
    wanted = by.organisation_id if by.side is Side.PARTNER else partner_id
    if wanted is not None:
        named = next((partner for partner in deal.partners if partner.id == wanted), None)
        if named is None:
            raise InvalidInput("This partner is not on the deal.", pointer="/partner_id")
        return named
    return min(deal.partners, key=_rank, default=None)


def _rank(partner: DealPartner) -> int:
    """Who sets the customer's price comes first."""
    return _SELLS_FIRST.index(partner.role) if partner.role in _SELLS_FIRST else len(_SELLS_FIRST)


def bounding(deal: Opportunity, partner: DealPartner | None, by: Actor) -> tuple[UUID, ...]:
    """The partners by whose tiers it is reckoned what this one gives without asking; the least counts.

    Itself; and, unless it asks for itself and sells, those that set the customer's price before it or as it
    does: naming a partner of a higher tier, or one that does not sell, gives no more than who sells may.
    """
    if partner is None:
        return ()
    own = by.side is Side.PARTNER and by.organisation_id == partner.id and partner.role in _SELLS_FIRST
    others = (
        other.id
        for other in deal.partners
        if other.id != partner.id and other.role in _SELLS_FIRST and _rank(other) <= _rank(partner)
    )
    return (partner.id,) if own else (partner.id, *others)


def line_named(deal: Opportunity, line: str | None) -> str | None:
    """What the part of the deal is called that a discount is for; None for all of it.

    Raises: InvalidInput, when the deal has lines, and none like that.
    """
    if line is None or not deal.lines:
        return line
    if (one := deal.line(line)) is not None:
        return one.name
    known = dict.fromkeys(each.product_line for each in deal.lines if each.product_line)
    if line not in known:
        lines = ", ".join([*known, *(each.key for each in deal.lines)])
        raise InvalidInput(
            f"This deal has no line or product line “{line}”; it has {lines}.", pointer="/line"
        )
    return line
