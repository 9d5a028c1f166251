"""A deal while its discounts are worked, with the shipped policy really asked, as a worker would.

deal = a_bargain()                    # 250,000.00 USD for Acme through Aster, which is gold
deal.want("27.5")                     # somebody asks; the policy answers
deal.asked                            # ["deal-desk", "finance"]
deal.decided(ApprovalState.APPROVED)  # how the approval ends
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.approval.policy import PolicyRef
from domain.approval.state import ApprovalState
from domain.discount.assess import Asked, assess, check
from domain.discount.facts import OtherGrant
from domain.discount.gather import Around
from domain.discount.policy import DiscountPolicy
from domain.discount.state import Discount
from domain.discount.submit import submission
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.commands_discount import DropDiscount, RequestDiscount
from domain.opportunity.commands_lines import AddLine, LineProduct
from domain.opportunity.decide_discount import (
    approval_ended,
    assessed,
    checked,
    needs_check,
    to_assess,
)
from domain.opportunity.discounts import find, giver
from domain.opportunity.draft import Outcome
from domain.opportunity.rules import open_deal
from domain.principal import SYSTEM, Actor
from domain.rates import Rates
from runtime.policies import RULES, read_policy
from tests.factories import NOW, REP, Working, a_playbook, a_stage, a_task, an_id, opening

SHIPPED = Path(__file__).parent.parent / "examples" / "policies" / "standard.yaml"
POLICY = DiscountPolicy(**dict(read_policy(SHIPPED)), version=1)
EURO = Rates(base="USD", rates={"EUR": Decimal("0.5")})
"""One dollar is half a euro: easy to reckon with."""


def changed(**changes: Any) -> DiscountPolicy:
    """The shipped policy, with other words in some places."""
    return DiscountPolicy.model_validate({**POLICY.model_dump(mode="json"), **changes})


class Bargain(Working):
    """`Working`, whose requests for discounts are assessed, and whose grants are checked."""

    def __init__(self, outcome: Outcome, now: datetime = NOW, policy: DiscountPolicy = POLICY) -> None:
        super().__init__(outcome, now)
        self.policy = policy
        self.tier: str | None = "gold"
        self.others: tuple[str | None, ...] = ()
        self.rates = EURO
        self.elsewhere: tuple[OtherGrant, ...] = ()
        self.numbers = 0
        self.checks = 0

    def want(self, percent: str, by: Actor = REP, **more: Any) -> Discount:
        """Somebody asks; what became of it, once the policy has answered."""
        self.numbers += 1
        wanted = {"id": an_id(5000 + self.numbers), "reason": "A strategic account.", **more}
        self.ask(RequestDiscount(percent=percent, **wanted), by=by)
        return self.newest

    def drop(self, by: Actor = REP) -> None:
        self.ask(DropDiscount(discount_id=self.newest.id, reason="Full price."), by=by)

    def decided(self, state: ApprovalState, **said: Any) -> Discount:
        """How the approval of the newest request stands now."""
        approval_id = self.newest.approval_id
        assert approval_id is not None
        self._take(approval_ended(self.deal, approval_id, state, now=self.now, **said))
        return self.newest

    def granted(self, percent: str, **more: Any) -> Discount:
        """A discount that somebody approved."""
        self.want(percent, **more)
        return self.decided(ApprovalState.APPROVED)

    def change(self, **values: Any) -> None:
        self.ask(ask.Change(**values))

    @property
    def newest(self) -> Discount:
        return self.deal.discounts[-1]

    @property
    def asked(self) -> list[str]:
        """The steps that the newest request was asked of, with those that stand from before."""
        return list(self.newest.steps)

    @property
    def outside(self) -> list[str]:
        return list(self.deal.discount_outside.reasons) if self.deal.discount_outside else []

    def discount(self, number: int) -> Discount:
        found = find(self.deal, an_id(5000 + number))
        assert found is not None
        return found

    def _take(self, outcome: Outcome) -> Bargain:
        before = self.deal
        super()._take(outcome)
        while (waiting := to_assess(self.deal)) is not None:
            around = Around(self.tier, self.others, self.rates, self.elsewhere)
            found = assess(Asked(self.deal, waiting, self.policy, around, self.now), RULES)
            if found.steps:
                submit = submission(self.deal, waiting, self.policy, found, self._approval_id())
                found = found.model_copy(
                    update={"submission": submit, "waits_for": "Deal desk", "due_at": self.now}
                )
            super()._take(assessed(self.deal, found, self.now))
        if needs_check(before, self.deal):
            self.checks += 1
            partner = giver(self.deal, None, SYSTEM)
            tiers = (self.tier, *self.others) if partner else ()
            known: dict[PolicyRef, DiscountPolicy] = {self.policy.ref: self.policy}
            answer = check(self.deal, known, tiers, RULES, self.now)
            super()._take(checked(self.deal, answer, self.now))
        return self

    def _approval_id(self) -> UUID:
        return an_id(6000 + self.numbers)


def a_bargain(policy: DiscountPolicy = POLICY, **changes: Any) -> Bargain:
    """An open deal that keeps the policy; see `tests.factories.opening`."""
    wanted = opening(**{"policy": policy.ref, **changes})
    return Bargain(open_deal(wanted, NOW, REP), NOW, policy)


GATED = a_playbook(
    stages=[
        a_stage("quote", a_task("send-quote", required=False), exit={"by": "tasks", "discount": "settled"}),
        a_stage("commit", phase="committed"),
    ]
)


def money(amount: str, currency: str = "USD") -> Money:
    return Money(amount=amount, currency=currency)


def a_product(name: str = "ERP suite", line: str = "ERP", cost: str | None = "100.00") -> LineProduct:
    return LineProduct(
        id=an_id(7000),
        sku=name,
        name=name,
        product_line=line,
        list_price=money("1000.00"),
        cost=money(cost) if cost else None,
    )


def with_lines(**more: Any) -> Bargain:
    """Two lines: 100,000.00 of ERP, 50,000.00 of support."""
    deal = a_bargain(amount=None, **more)
    deal.ask(AddLine(product=a_product(), quantity=100, standard_percent="15"))
    deal.ask(AddLine(product=a_product("Support", "support"), quantity=50, standard_percent="15"))
    return deal
