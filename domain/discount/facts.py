"""What a discount policy may ask about: the deal, its partner and customer, what is asked for, what is left.

Amounts are in the policy's currency. The clock is not among the facts, but the days that were left
to the expected close when it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from domain.percent import HUNDRED, Percent
from domain.value import Value


class DealFacts(Value):
    """The deal. `amount` is its price before discounts: of its lines at list price, where it has any."""

    title: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    stage: str = ""
    phase: str = ""
    probability: int = 0
    expected_close_days: int = 0


class PartnerFacts(Value):
    """The partner that gives the discount; empty where the vendor sells alone."""

    tier: str = ""
    role: str = ""
    name: str = ""


class CustomerFacts(Value):
    country: str = ""
    industry: str = ""
    name: str = ""


class AskedFacts(Value):
    """What is asked for. `beyond` is in points over the standard, `value` what is given away."""

    percent: Percent
    standard: Percent = Decimal(0)
    beyond: Percent = Decimal(0)
    value: Decimal = Decimal(0)
    line: str = ""
    reason: str = ""
    competitor: str = ""
    has_competing_price: bool = False
    competing_price: Decimal = Decimal(0)


class MarginFacts(Value):
    """What would be left to the vendor; known where the cost of every line concerned is."""

    known: bool = False
    cost: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    below_cost: bool = False

    @classmethod
    def of(cls, net: Decimal, cost: Decimal | None) -> Self:
        """The margin of what is sold at `net` and costs the vendor `cost`; None where that is not known."""
        if cost is None:
            return cls()
        percent = (net - cost) / net * HUNDRED if net else Decimal(0)
        return cls(known=True, cost=cost, percent=percent.quantize(Decimal("0.1")), below_cost=net < cost)


class OtherGrant(Value):
    """A discount in another deal of the same customer, through whichever partner."""

    opportunity_id: UUID
    title: str
    percent: Percent
    state: str
    value: Decimal = Decimal(0)
    approval_id: UUID | None = None

    @property
    def words(self) -> str:
        return f"“{self.title}” has {self.percent} % ({self.state})"


class DiscountFacts(Value):
    """All that was known when a discount was asked for; kept with the request."""

    currency: str
    deal: DealFacts = DealFacts()
    partner: PartnerFacts = PartnerFacts()
    customer: CustomerFacts = CustomerFacts()
    discount: AskedFacts
    margin: MarginFacts = MarginFacts()
    elsewhere: tuple[OtherGrant, ...] = ()

    def for_rules(self) -> dict[str, Any]:
        """The facts as CEL sees them: numbers are floats, and what is not known is empty or 0."""
        facts: dict[str, Any] = {
            name: {key: _plain(value) for key, value in getattr(self, name)}
            for name in ("deal", "partner", "customer", "discount", "margin")
        }
        value = sum((grant.value for grant in self.elsewhere), Decimal(0))
        highest = max((grant.percent for grant in self.elsewhere), default=Decimal(0))
        facts["elsewhere"] = {
            "deals": len(self.elsewhere),
            "percent": float(highest),
            "value": float(value),
        }
        return facts

    def worth(self, amount: Decimal | None) -> Self:
        """The same for a deal of another amount; None leaves it as it is."""
        if amount is None:
            return self
        return self.but(deal=self.deal.but(amount=amount))

    def asking(self, percent: Decimal) -> Self:
        """The same with another percentage: what that is beyond the standard, gives away and leaves."""
        beyond = max(percent - self.discount.standard, Decimal(0))
        value = taken_off(self.deal.amount, percent)
        asked = {"percent": percent, "beyond": beyond, "value": value}
        margin = MarginFacts.of(self.deal.amount - value, self.margin.cost if self.margin.known else None)
        return self.but(discount=self.discount.but(**asked), margin=margin)


def taken_off(amount: Decimal, percent: Decimal) -> Decimal:
    """What a discount takes off an amount, in whole cents."""
    return (amount * percent / HUNDRED).quantize(Decimal("0.01"))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


SAMPLE = DiscountFacts(
    currency="USD",
    deal=DealFacts(
        title="ERP rollout",
        amount=Decimal(250000),
        currency="USD",
        stage="joint-proposal",
        phase="business_validation",
        probability=65,
        expected_close_days=45,
    ),
    partner=PartnerFacts(tier="gold", role="reseller", name="Aster Integrators"),
    customer=CustomerFacts(country="US", industry="manufacturing", name="Acme"),
    discount=AskedFacts(
        percent=Decimal("27.5"),
        standard=Decimal(15),
        beyond=Decimal("12.5"),
        value=Decimal(68750),
        line="licences",
        reason="Strategic account",
        competitor="Rival",
        has_competing_price=True,
        competing_price=Decimal(190000),
    ),
    margin=MarginFacts.of(Decimal(181250), Decimal(124000)),
)
"""Facts that a rule is tried on before its policy is published: they have every name there is."""


def _rises(before: Any, after: Any) -> bool:
    return bool(after > before)


def _falls(before: Any, after: Any) -> bool:
    return bool(after < before)


def _differs(before: Any, after: Any) -> bool:
    return bool(after != before)


_WORSE: dict[str, Callable[[Any, Any], bool]] = {
    "deal.amount": _falls,
    "deal.currency": _differs,
    "partner.name": _differs,
    "partner.role": _differs,
    "partner.tier": _differs,
    "customer.country": _differs,
    "customer.industry": _differs,
    "customer.name": _differs,
    "discount.percent": _rises,
    "discount.standard": _falls,
    "discount.beyond": _rises,
    "discount.value": _rises,
    "discount.line": _differs,
    "discount.has_competing_price": _falls,
    "discount.competing_price": _rises,
    "margin.known": _falls,
    "margin.percent": _falls,
    "margin.below_cost": _rises,
    "elsewhere.deals": _rises,
    "elsewhere.percent": _rises,
    "elsewhere.value": _rises,
}
"""When a fact is worse for the vendor than before. What is missing here changes as a deal goes on, and
is nobody's reason to be asked again: its title, stage, dates, and what is said about competitors."""


def worsened(before: DiscountFacts, after: DiscountFacts) -> frozenset[str]:
    """The facts, such as `discount.value`, that are worse for the vendor than before."""
    old, new = before.for_rules(), after.for_rules()
    both_known = before.margin.known and after.margin.known
    found = set()
    for name, worse in _WORSE.items():
        group, _, key = name.partition(".")
        if name == "margin.percent" and not both_known:
            continue
        if worse(old[group][key], new[group][key]):
            found.add(name)
    return frozenset(found)


def fact_names() -> Iterable[str]:
    """Every fact that a rule may read, such as `deal.amount` and `partner.tier`."""
    return [f"{group}.{key}" for group, values in SAMPLE.for_rules().items() for key in values]
