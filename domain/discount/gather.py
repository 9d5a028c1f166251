"""The facts of a request, brought together from the deal and what is known around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.discount.facts import (
    AskedFacts,
    CustomerFacts,
    DealFacts,
    DiscountFacts,
    MarginFacts,
    OtherGrant,
    PartnerFacts,
    taken_off,
)
from domain.discount.policy import DiscountPolicyDefinition
from domain.discount.state import Discount
from domain.money import Money
from domain.opportunity.discounts import in_force, line_named, priced
from domain.opportunity.state import Opportunity
from domain.rates import Rates


@dataclass(frozen=True, slots=True)
class Around:
    """What a deal does not know itself: its partner's tier, today's rates, its customer's other deals.

    `others` are the tiers of the partners that sell besides, by which the standard is reckoned as well.
    """

    tier: str | None = None
    others: tuple[str | None, ...] = ()
    rates: Rates = field(default_factory=Rates)
    elsewhere: tuple[OtherGrant, ...] = ()


def facts_of(
    deal: Opportunity,
    discount: Discount,
    policy: DiscountPolicyDefinition,
    around: Around,
    now: datetime,
) -> DiscountFacts:
    """The facts that the policy's rules are asked about, in the policy's currency.

    Raises:
        NoExchangeRate: an amount cannot be converted.
    """
    asked = priced(deal).on(discount.line)
    partner = deal.partner(discount.partner_id)
    tiers = (around.tier, *around.others) if partner is not None else ()
    standard = policy.standard.least(tiers, product_line(deal, discount.line))
    competing = discount.competing_price
    facts = DiscountFacts(
        currency=policy.currency,
        deal=DealFacts(
            title=deal.title,
            amount=_converted(asked.amount, policy.currency, around.rates),
            currency=asked.amount.currency if asked.amount else "",
            stage=deal.stage.key,
            phase=deal.phase.value,
            probability=deal.probability,
            expected_close_days=(deal.expected_close - now.date()).days if deal.expected_close else 0,
        ),
        partner=PartnerFacts(
            tier=around.tier or "",
            role=partner.role.value if partner else "",
            name=partner.name if partner else "",
        ),
        customer=CustomerFacts(
            country=deal.customer.country or "",
            industry=deal.customer.industry or "",
            name=deal.customer.name,
        ),
        discount=AskedFacts(
            percent=discount.percent,
            standard=standard,
            line=product_line(deal, discount.line) or "",
            reason=discount.reason,
            competitor=discount.competitor or "",
            has_competing_price=competing is not None,
            competing_price=_converted(competing, policy.currency, around.rates),
        ),
        margin=_cost(deal, discount.line, policy.currency, around.rates),
        elsewhere=(*around.elsewhere, *_on_other_parts(deal, discount, policy.currency, around.rates)),
    )
    return facts.asking(discount.percent)


def _on_other_parts(
    deal: Opportunity, discount: Discount, currency: str, rates: Rates
) -> Iterator[OtherGrant]:
    """What somebody approved for other lines of this deal: line by line it is one sum all the same."""
    own = {part.key for part in priced(deal).on(discount.line).parts}
    for held in in_force(deal):
        amount = sum(
            (part.list_amount for part in priced(deal).on(held.line).parts if part.key not in own), Decimal(0)
        )
        asked = priced(deal).amount
        if held.steps and amount and asked is not None:
            rest = Money(amount=amount, currency=asked.currency)
            yield OtherGrant(
                opportunity_id=deal.id,
                title=f"{deal.title} ({line_named(deal, held.line) or 'the rest'})",
                percent=held.percent,
                state=held.state.value,
                value=taken_off(_converted(rest, currency, rates), held.percent),
                approval_id=held.approval_id,
            )


def facts_now(deal: Opportunity, discount: Discount, then: DiscountFacts) -> DiscountFacts:
    """The facts of a grant with the deal as it is now, at the rates of then.

    Raises:
        NoExchangeRate: the deal is in a currency now that nothing was known of.
    """
    asked = priced(deal).on(discount.line)
    amount = _converted(asked.amount, then.currency, discount.rates)
    changed = then.deal.but(amount=amount, currency=asked.amount.currency if asked.amount else "")
    margin = _cost(deal, discount.line, then.currency, discount.rates)
    return then.but(deal=changed, margin=margin).asking(discount.percent)


def product_line(deal: Opportunity, line: str | None) -> str | None:
    """The product line that a discount is for: the one named, or that of the line named."""
    one = deal.line(line) if line is not None else None
    return one.product_line if one is not None else line


def rates_used(rates: Rates, *amounts: Money | None, to: str) -> Rates:
    """The rates without those that these amounts do not need, to keep with a request."""
    used = {to, *(money.currency for money in amounts if money)}
    kept = {code: rate for code, rate in rates.rates.items() if code in used} if len(used) > 1 else {}
    return rates.but(rates=kept)


def _converted(amount: Money | None, currency: str, rates: Rates) -> Decimal:
    return rates.convert(amount, currency).amount if amount else Decimal(0)


def _cost(deal: Opportunity, line: str | None, currency: str, rates: Rates) -> MarginFacts:
    """What the lines concerned cost the vendor; known where all of them are."""
    lines = [each for each in deal.lines if line in (None, each.key, each.product_line)]
    costs = [each.cost_amount for each in lines]
    known = [cost for cost in costs if cost is not None]
    if not lines or len(known) < len(costs):
        return MarginFacts()
    total = Money(amount=sum(known, Decimal(0)), currency=lines[0].currency)
    return MarginFacts(known=True, cost=rates.convert(total, currency).amount)
