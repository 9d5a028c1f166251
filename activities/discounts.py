"""What a request for a discount takes, and whether what is given is still covered."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from db import directory, discounts, opportunity
from db.session import Database
from domain.approval.naming import named
from domain.approval.resolve import preview
from domain.approval.state import Facts
from domain.discount.assess import Asked, Assessment, Check, assess, check, offer_at
from domain.discount.gather import facts_of
from domain.discount.policy import DiscountPolicy
from domain.discount.state import Discount
from domain.discount.submit import facts_for_approvers, holders, resolving, submission, terms_of
from domain.errors import TandemError, Unavailable
from domain.opportunity.discounts import bounding, find, giver
from domain.opportunity.state import Opportunity
from domain.principal import SYSTEM
from runtime import cel
from runtime.ids import new_id
from runtime.policies import RULES
from workflows.approval_messages import Judging
from workflows.discount_messages import CHECK_DISCOUNTS, RESOLVE_DISCOUNT, CheckQuestion, DiscountQuestion
from workflows.entity import refusal


class DiscountActivities:
    """Asks the policy, the directory and the rates about discounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RESOLVE_DISCOUNT)
    async def resolve_discount(self, question: DiscountQuestion) -> Assessment:
        """Whom the policy wants asked, and what is granted if they agree; nobody has to be asked for some.

        Raises:
            ApplicationError: no policy is published, or an amount cannot be converted.
        """
        deal = question.opportunity
        discount = find(deal, question.discount_id)
        if discount is None:
            msg = "The deal has no such discount."
            raise RuntimeError(msg)
        try:
            async with self._database.read() as session:
                policy = await discounts.policy_of(session, deal)
                around = await discounts.around(session, deal, discount, policy)
                found = assess(Asked(deal, discount, policy, around, question.at), RULES)
                return await _with_approval(session, question, discount, policy, found)
        except Unavailable:
            raise  # the database is away: it is tried again
        except TandemError as error:
            raise refusal(error) from error

    @activity.defn(name=CHECK_DISCOUNTS)
    async def check_discounts(self, question: CheckQuestion) -> Check:
        """Why what is given is not covered by what was granted; nothing, where it is."""
        deal = question.opportunity
        async with self._database.read() as session:
            policies = await discounts.policies_of(session, deal)
            seller = giver(deal, None, SYSTEM)
            tiers = await discounts.tiers_of(session, bounding(deal, seller, SYSTEM))
        return check(deal, policies, tiers, RULES, question.at)


async def _with_approval(
    session: AsyncSession,
    question: DiscountQuestion,
    discount: Discount,
    policy: DiscountPolicy,
    found: Assessment,
) -> Assessment:
    """The assessment with the approval that it needs, and who would hold that first."""
    if not found.steps:
        return found
    submit = submission(question.opportunity, discount, policy, found, new_id())
    request = resolving(submit, discount.requested_by.id, question.at)
    wanted = named(request, cel.answer, submit.steps)
    people = await directory.of_vendor(session, wanted, question.at)
    waits_for, due_at = holders(preview(submit.steps, submit.fired, request, people, cel.answer))
    return found.but(submission=submit, waits_for=waits_for, due_at=due_at)


async def facts_now(session: AsyncSession, judging: Judging) -> tuple[Facts, dict[str, str]]:
    """A request that comes back for approval: the deal as it is by now, with this percentage.

    Its facts, and what would be granted.
    """
    approval = judging.approval
    deal = await _deal_of(session, judging)
    discount = find(deal, approval.subject.discount_id) if deal else None
    if deal is None or discount is None or approval.policy is None:
        return approval.facts, approval.terms
    asked = discount.but(percent=judging.percent or discount.percent)
    policy = await discounts.policy_of(session, deal)
    around = await discounts.around(session, deal, discount, policy)
    facts = facts_of(deal, asked, policy, around, approval.updated_at)
    valid = discount.valid or policy.grant.valid
    return facts_for_approvers(facts), terms_of(offer_at(discount, facts, until=None), valid)


async def _deal_of(session: AsyncSession, judging: Judging) -> Opportunity | None:
    deal = judging.approval.subject.opportunity_id
    return await opportunity.as_recorded(session, deal) if deal is not None else None
