"""What a request for a discount takes: whom its policy wants asked, and what would be granted.

Pure: an activity reads what is known around the deal, and passes the CEL evaluator in. Its answer is
in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import AwareDatetime

from domain.approval.commands import Submit
from domain.approval.policy import PolicyRef
from domain.approval.resolve import Judge, fired
from domain.discount.envelope import Envelope, Violation, fits, given_away, in_words
from domain.discount.facts import DiscountFacts, worsened
from domain.discount.gather import Around, facts_now, facts_of, product_line, rates_used
from domain.discount.policy import DiscountPolicy, DiscountStep
from domain.discount.state import Discount, DiscountState, Uncovered
from domain.duration import Duration
from domain.errors import NoExchangeRate
from domain.money import Money
from domain.opportunity.discounts import current, giver, in_force, priced
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import SYSTEM
from domain.rates import Rates
from domain.value import Value

Reads = Callable[[str], frozenset[str]]
"""The facts, such as `discount.beyond`, that a CEL expression reads."""


class Assessment(Value):
    """What was found out about a request.

    `steps` are to be asked now, `carried` have approved it before and are not touched by what is worse
    since; without `steps` it is granted at once. `offer` is what is granted, and ends `valid` after that.
    """

    discount_id: UUID
    policy: PolicyRef
    facts: DiscountFacts
    rates: Rates
    steps: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    offer: Envelope
    valid: Duration
    why: str = ""
    submission: Submit | None = None
    waits_for: str = ""
    due_at: AwareDatetime | None = None


class Check(Value):
    """Whether what is given is covered by what was granted: `shares` say why not, by who gives it.

    `outside` is what an answer said before that was told apart.
    """

    outside: tuple[str, ...] = ()
    shares: tuple[Uncovered, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How the policy's rules are asked, and what they read."""

    judge: Judge
    reads: Reads

    def firing(self, policy: DiscountPolicy, facts: DiscountFacts) -> tuple[str, ...]:
        return fired(policy.steps, facts.for_rules(), self.judge)

    def concerns(self, step: DiscountStep) -> frozenset[str]:
        """The facts whose getting worse is this step's business."""
        return (self.reads(step.when) if step.when else frozenset()) | frozenset(step.minds)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as it meets its policy at this instant (UTC)."""

    deal: Opportunity
    discount: Discount
    policy: DiscountPolicy
    around: Around
    now: datetime


def assess(asked: Asked, rules: Rules) -> Assessment:
    """Whom the policy wants asked about this request, and what is granted if they agree.

    Raises:
        NoExchangeRate: an amount cannot be converted.
    """
    discount, policy = asked.discount, asked.policy
    facts = facts_of(asked.deal, discount, policy, asked.around, asked.now)
    keys = rules.firing(policy, facts)
    steps = keys
    base = _granted_before(asked.deal, discount)
    if base is not None:
        violations = _outside(base.discount, asked.deal, asked.now)
        if not violations and discount.percent <= base.envelope.max_percent and base.approved(keys):
            return _covered(asked, base, facts)
        worse = worsened(base.facts, facts) | {violation.fact for violation in violations}
        steps = base.touched(policy, keys, worse, rules) or _first(policy, keys)
    return Assessment(
        discount_id=discount.id,
        policy=policy.ref,
        facts=facts,
        rates=_rates(asked),
        steps=steps,
        carried=tuple(key for key in keys if key not in steps),
        rules=tuple(_in_words(policy, key) for key in steps),
        offer=_offer(asked, facts, [rules.concerns(step) for step in policy.steps if step.key in keys]),
        valid=policy.grant.valid,
        why=_at_once(facts, discount),
    )


@dataclass(frozen=True, slots=True)
class _Base:
    """A grant that a new request for the same part of the deal is compared with."""

    discount: Discount
    envelope: Envelope
    facts: DiscountFacts

    def approved(self, keys: tuple[str, ...]) -> bool:
        """Whether the grant rests on all of these steps."""
        return set(keys) <= set(self.discount.steps)

    def touched(
        self, policy: DiscountPolicy, keys: tuple[str, ...], worse: frozenset[str], rules: Rules
    ) -> tuple[str, ...]:
        """The steps whose business is what is worse now, and those that were not asked before."""
        return tuple(
            step.key
            for step in policy.steps
            if step.key in keys and (not self.approved((step.key,)) or rules.concerns(step) & worse)
        )


def _granted_before(deal: Opportunity, discount: Discount) -> _Base | None:
    for held in in_force(deal):
        same = (held.line, held.partner_id) == (discount.line, discount.partner_id)
        if same and held.envelope is not None and held.facts is not None:
            return _Base(held, held.envelope, held.facts)
    return None


def _covered(asked: Asked, base: _Base, facts: DiscountFacts) -> Assessment:
    """Granted with the bounds of the grant before: asking again moves none of them.

    The facts stay those that were approved, so that small steps do not add up to a large one.
    """
    before, discount = base.discount, asked.discount
    return Assessment(
        discount_id=discount.id,
        policy=asked.policy.ref,
        facts=base.facts.asking(discount.percent) if before.steps else facts,
        rates=before.rates if before.steps else _rates(asked),
        carried=before.steps,
        offer=base.envelope,
        valid=asked.policy.grant.valid,
        why=f"what was granted before covers it ({base.envelope.words})",
    )


def _rates(asked: Asked) -> Rates:
    """The rates that this request needs."""
    amounts = (priced(asked.deal).amount, asked.discount.competing_price)
    return rates_used(asked.around.rates, *amounts, to=asked.policy.currency)


def _first(policy: DiscountPolicy, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The steps that wait for no other: outside of a grant somebody is always asked."""
    return tuple(step.key for step in policy.steps if step.key in keys and not set(step.after) & set(keys))


def _offer(asked: Asked, facts: DiscountFacts, concerns: list[frozenset[str]]) -> Envelope:
    """What is granted if all agree; what nobody has to agree to has no bounds but the percentage."""
    discount, policy = asked.discount, asked.policy
    envelope = Envelope(max_percent=discount.percent, partner_id=discount.partner_id, line=discount.line)
    amount = priced(asked.deal).on(discount.line).amount
    if not concerns or amount is None:
        return envelope
    floor = given_away(amount, policy.grant.amount_floor_percent)
    by_value = any({"discount.value", "elsewhere.value"} & names for names in concerns)
    given = Money(amount=facts.discount.value, currency=policy.currency)
    most = given_away(given, policy.grant.value_ceiling_percent) if by_value else None
    return envelope.but(min_amount=floor, max_value=most)


def offer_at(discount: Discount, facts: DiscountFacts, until: datetime | None) -> Envelope:
    """What was offered, with its end; for these facts, where they are others than at the request.

    A counter-offer grants another percentage, and a request that came back may be about another amount.
    """
    percent = facts.discount.percent
    offer = discount.offer or Envelope(max_percent=percent, partner_id=discount.partner_id)
    then = discount.facts or facts
    return offer.but(
        max_percent=percent,
        min_amount=_scaled(offer.min_amount, facts.deal.amount, then.deal.amount),
        max_value=_scaled(offer.max_value, facts.discount.value, then.discount.value),
        until=until,
    )


def _scaled(bound: Money | None, now: Decimal, then: Decimal) -> Money | None:
    """A bound in proportion to what it is about."""
    if bound is None or now == then or not then:
        return bound
    amount = (bound.amount * now / then).quantize(Decimal("0.01"))
    return Money(amount=amount, currency=bound.currency)


def _in_words(policy: DiscountPolicy, key: str) -> str:
    step = policy.step(key)
    return f"{step.title} ({step.words})" if step else key


def _at_once(facts: DiscountFacts, discount: Discount) -> str:
    if discount.percent <= facts.discount.standard:
        return f"it is within the standard discount of {shown(facts.discount.standard)} %"
    return "no rule of the policy asks for approval"


def check(
    deal: Opportunity,
    policies: dict[PolicyRef, DiscountPolicy],
    tiers: tuple[str | None, ...],
    rules: Rules,
    now: datetime,
) -> Check:
    """Whether what is given is covered, after a change of the deal. `tiers` are those of who sells."""
    found: dict[UUID | None, dict[str, None]] = {}
    for discount in current(deal):
        why = dict.fromkeys(_reasons(deal, discount, policies, rules, now))
        found.setdefault(discount.partner_id, {}).update(why)
    if deal.policy in policies:
        seller = giver(deal, None, SYSTEM)
        beyond = dict.fromkeys(_lines_beyond(deal, policies[deal.policy], tiers))
        found.setdefault(seller.id if seller else None, {}).update(beyond)
    return Check(
        shares=tuple(
            Uncovered(partner_id=partner_id, reasons=tuple(why)) for partner_id, why in found.items() if why
        )
    )


def _reasons(
    deal: Opportunity,
    discount: Discount,
    policies: dict[PolicyRef, DiscountPolicy],
    rules: Rules,
    now: datetime,
) -> Iterator[str]:
    """Why one grant does not cover the deal."""
    if discount.state is DiscountState.LAPSED:
        yield f"the grant of {discount.percent} % ended: {discount.note}"
        return
    violations = _outside(discount, deal, now)
    if violations:
        yield in_words(violations)
    policy = policies.get(discount.policy) if discount.policy else None
    if policy is None or discount.facts is None:
        return
    try:
        keys = rules.firing(policy, facts_now(deal, discount, discount.facts))
    except NoExchangeRate:
        return  # said above, where the bounds could not be compared
    if not set(keys) <= set(discount.steps):  # by whom is not said: a partner would learn of costs from it
        yield f"{discount.percent} % now needs more approval than it has"


def _outside(discount: Discount, deal: Opportunity, now: datetime) -> tuple[Violation, ...]:
    """The bounds of a grant that the deal is outside of."""
    if discount.envelope is None:
        return ()
    try:
        return fits(discount.envelope, priced(deal), discount.rates, now)
    except NoExchangeRate as missing:
        return (Violation("deal.currency", missing.detail.rstrip(".")),)


def _lines_beyond(deal: Opportunity, policy: DiscountPolicy, tiers: tuple[str | None, ...]) -> Iterator[str]:
    """The lines on which more is given than the standard, and than any grant covers."""
    for part in priced(deal).parts:
        standard = policy.standard.least(tiers, product_line(deal, part.key))
        covering = (
            discount.envelope.max_percent
            for discount in in_force(deal)
            if discount.envelope and discount.envelope.line in (None, part.key, part.product_line)
        )
        most = max([standard, *covering])
        if part.percent > most:
            yield f"{part.name} is at {part.percent} %, and up to {most} % may be given"
