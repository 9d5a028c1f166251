"""What a request for a discount depends on besides its deal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import policies, rates
from db.tables import ApprovalSeatRow, OpportunityPartnerRow, OpportunityRow, Organisation, User
from domain.approval.policy import PolicyRef
from domain.discount.facts import OtherGrant, taken_off
from domain.discount.gather import Around
from domain.discount.policy import DiscountPolicy
from domain.discount.replay import PastRequest
from domain.discount.state import Discount, DiscountState
from domain.errors import NoDiscountPolicy, TandemError
from domain.money import Money
from domain.opportunity.discounts import bounding
from domain.opportunity.state import Opportunity
from domain.opportunity.wording import listed
from domain.rates import Rates

_COUNTING = (DiscountState.GRANTED, DiscountState.PENDING, DiscountState.COUNTERED)
_MOST = 20
"""Other deals of one customer that are looked at: the newest."""


async def policy_of(session: AsyncSession, deal: Opportunity) -> DiscountPolicy:
    """The policy that the deal keeps; the newest of its playbook for one that has none yet.

    Raises:
        NoDiscountPolicy: none is published.
    """
    ref = deal.policy or await policies.newest(session, deal.playbook.discount_policy)
    if ref is None:
        raise NoDiscountPolicy(
            f"There is no discount policy '{deal.playbook.discount_policy}': ask an administrator to "
            "publish one."
        )
    return await policies.pinned(session, ref)


async def policies_of(session: AsyncSession, deal: Opportunity) -> dict[PolicyRef, DiscountPolicy]:
    """Every policy version that the deal or one of its discounts goes by."""
    refs = {deal.policy, *(discount.policy for discount in deal.discounts)}
    return {ref: await policies.pinned(session, ref) for ref in refs if ref is not None}


async def tiers_of(session: AsyncSession, partner_ids: Sequence[UUID]) -> tuple[str | None, ...]:
    """The tiers of these partners today, in this order; None for one of no tier."""
    if not partner_ids:
        return ()
    statement = select(col(Organisation.id), col(Organisation.tier)).where(
        col(Organisation.id).in_(partner_ids)
    )
    found = {row.id: row.tier for row in await session.execute(statement)}
    return tuple(found.get(each) for each in partner_ids)


async def around(
    session: AsyncSession, deal: Opportunity, discount: Discount, policy: DiscountPolicy
) -> Around:
    """The tiers of who gives and who sells, today's rates, and what the customer is given elsewhere."""
    today = await rates.read(session)
    partner_id = discount.partner_id
    by = bounding(deal, deal.partner(partner_id), discount.requested_by)
    tier, *others = await tiers_of(session, by) or (None,)
    return Around(
        tier=tier,
        others=tuple(others),
        rates=today,
        elsewhere=await _elsewhere(session, deal, partner_id, policy.currency, today),
    )


async def _elsewhere(
    session: AsyncSession, deal: Opportunity, partner_id: UUID | None, currency: str, today: Rates
) -> tuple[OtherGrant, ...]:
    """The discounts, granted or asked for, in other open deals of this customer and partner."""
    kept: Any = col(OpportunityRow.state)["discounts"]
    statement = (
        select(
            col(OpportunityRow.id),
            col(OpportunityRow.title),
            col(OpportunityRow.amount),
            col(OpportunityRow.currency),
            kept.label("discounts"),
        )
        .where(
            ~col(OpportunityRow.closed),
            col(OpportunityRow.id) != deal.id,
            _same_customer(deal),
            func.jsonb_array_length(kept) > 0,
        )
        .order_by(col(OpportunityRow.updated_at).desc(), col(OpportunityRow.id).desc())
        .limit(_MOST)
    )
    if partner_id is not None:
        statement = statement.where(_has_partner(partner_id))
    found: list[OtherGrant] = []
    for row in await session.execute(statement):
        found.extend(_of_row(row, partner_id, currency, today))
    return tuple(found)


def _same_customer(deal: Opportunity) -> ColumnElement[bool]:
    if deal.account_id is not None:
        return col(OpportunityRow.account_id) == deal.account_id
    return func.lower(col(OpportunityRow.customer)) == deal.customer.name.lower()


def _has_partner(partner_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(OpportunityRow.id),
        col(OpportunityPartnerRow.partner_id) == partner_id,
    )


def _of_row(row: Any, partner_id: UUID | None, currency: str, today: Rates) -> Sequence[OtherGrant]:
    """The discounts of one deal that count; their value is told where it can be converted."""
    found = []
    for kept in row.discounts:
        discount = Discount.model_validate(kept)
        if discount.state not in _COUNTING or discount.partner_id != partner_id:
            continue
        found.append(
            OtherGrant(
                opportunity_id=row.id,
                title=row.title,
                percent=discount.percent,
                state=discount.state.value,
                value=_value(row, discount, currency, today),
                approval_id=discount.approval_id,
            )
        )
    return found


def _value(row: Any, discount: Discount, currency: str, today: Rates) -> Decimal:
    if discount.facts is not None and discount.facts.currency == currency:
        return discount.facts.discount.value
    if row.amount is None:
        return Decimal(0)
    try:
        amount = today.convert(Money(amount=row.amount, currency=row.currency), currency).amount
    except TandemError:
        return Decimal(0)
    return taken_off(amount, discount.percent)


async def past_requests(session: AsyncSession) -> list[PastRequest]:
    """Every request for a discount that the vendor's deals have kept, closed ones too."""
    kept: Any = col(OpportunityRow.state)["discounts"]
    statement = select(col(OpportunityRow.id), col(OpportunityRow.title), kept.label("discounts")).where(
        func.jsonb_array_length(kept) > 0
    )
    return [
        PastRequest(opportunity_id=row.id, title=row.title, discount=Discount.model_validate(discount))
        for row in await session.execute(statement)
        for discount in row.discounts
    ]


async def step_titles(
    session: AsyncSession, past: Sequence[PastRequest]
) -> dict[tuple[str, int], dict[str, str]]:
    """What the steps are called that these requests were asked of, by policy version and key."""
    refs = {each.discount.policy for each in past if each.discount.policy is not None}
    found = {}
    for ref in refs:
        policy = await policies.pinned(session, ref)
        found[ref.key, ref.version] = {step.key: step.title for step in policy.steps}
    return found


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has to decide at the moment, by step and name, and by when the first of them should have."""

    words: str
    due_at: datetime | None


async def holders(session: AsyncSession, approval_id: UUID) -> Holders | None:
    """Who holds an approval now; None where nobody on the deciding side does."""
    statement = (
        select(col(ApprovalSeatRow.step), col(ApprovalSeatRow.due_at), col(User.name))
        .join(User, col(User.id) == col(ApprovalSeatRow.user_id))
        .where(col(ApprovalSeatRow.approval_id) == approval_id)
        .order_by(col(ApprovalSeatRow.since), col(ApprovalSeatRow.step_key), col(User.name))
    )
    names: dict[str, list[str]] = {}
    due: list[datetime] = []
    for row in await session.execute(statement):
        names.setdefault(row.step, []).append(row.name)
        due += [row.due_at] if row.due_at is not None else []
    if not names:
        return None
    words = listed((f"{step} ({listed(people)})" for step, people in names.items()), "and")
    return Holders(words, min(due, default=None))
