"""What a deal's process asks about discounts, answered without a database; and the end of its approvals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import activity, workflow

from domain.approval.state import ApprovalState
from domain.discount.assess import Asked, Assessment, Check, assess, check
from domain.discount.gather import Around
from domain.discount.policy import DiscountPolicy
from domain.discount.submit import submission
from domain.opportunity.discounts import find
from domain.opportunity.state import Opportunity
from domain.principal import SYSTEM
from runtime.ids import new_id
from runtime.policies import RULES
from tests.bargains import EURO, POLICY
from tests.factories import NOW
from workflows.approval_messages import WITHDRAW, ApprovalResult, ApprovalStart, Withdrawal
from workflows.discount_messages import CHECK_DISCOUNTS, RESOLVE_DISCOUNT, CheckQuestion, DiscountQuestion


class Adviser:
    """Answers by the policy that ships; every partner is gold."""

    def __init__(self, policy: DiscountPolicy = POLICY) -> None:
        self.policy = policy

    @activity.defn(name=RESOLVE_DISCOUNT)
    async def resolve_discount(self, question: DiscountQuestion) -> Assessment:
        deal = question.opportunity
        discount = find(deal, question.discount_id)
        assert discount is not None
        asked = Asked(deal, discount, self.policy, Around(tier="gold", rates=EURO), question.at)
        found = assess(asked, RULES)
        if not found.steps:
            return found
        submit = submission(deal, discount, self.policy, found, new_id())
        return found.model_copy(update={"submission": submit, "waits_for": "Deal desk"})

    @activity.defn(name=CHECK_DISCOUNTS)
    async def check_discounts(self, question: CheckQuestion) -> Check:
        known = {self.policy.ref: self.policy}
        return check(question.opportunity, known, ("gold",), RULES, question.at)

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.resolve_discount, self.check_discounts]


@workflow.defn(name="ApprovalWorkflow", sandboxed=False)
class Desk:
    """A request that only waits: the test says how it ends, and it hears when nobody wants it any more."""

    def __init__(self) -> None:
        self.withdrawn: str | None = None

    @workflow.run
    async def run(self, start: ApprovalStart) -> str | None:
        assert start.submission is not None
        await workflow.wait_condition(lambda: self.withdrawn is not None)
        return self.withdrawn

    @workflow.signal(name=WITHDRAW)
    async def withdraw(self, withdrawal: Withdrawal) -> None:
        self.withdrawn = withdrawal.reason


def result(deal: Opportunity, state: ApprovalState, **said: Any) -> ApprovalResult:
    """What the newest request's approval tells its deal."""
    discount = deal.discounts[-1]
    assert discount.approval_id is not None
    return ApprovalResult(
        approval_id=discount.approval_id,
        version=2,
        state=state,
        subject={"title": deal.title, "opportunity_id": deal.id, "discount_id": discount.id},
        by=SYSTEM,
        at=NOW,
        **said,
    )
