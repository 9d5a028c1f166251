"""What a request for a discount depends on besides its deal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import policies, rates
from db.tables import ApprovalSeatRow, OpportunityRow, Organisation, User
from db.tables.base import utc_now
from domain.approval.policy import REQUESTER, PolicyRef
from domain.discount.assess import Rules
from domain.discount.facts import OtherGrant, taken_off
from domain.discount.gather import Around
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition
from domain.discount.replay import PastRequest, Replaying, ReplayReport
from domain.discount.state import Discount, DiscountState
from domain.errors import NoDiscountPolicy, TandemError
from domain.money import Money
from domain.opportunity.discounts import bounding
from domain.opportunity.state import Opportunity, Status
from domain.opportunity.wording import listed
from domain.rates import Rates

_COUNTING = (DiscountState.GRANTED, DiscountState.PENDING, DiscountState.COUNTERED)
_SIGNED = timedelta(days=365)
"""So long after its last change a deal that is signed and closed still counts among its customer's."""
_MOST = 100
"""Discounts that are kept with a request by name: those that give away most. All count, up to `_DEALS`."""
_DEALS = 2000
"""Deals of one customer that are looked at, the newest first: a name that stands for nobody has many."""
_PAGE = 500


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
        elsewhere=await _elsewhere(session, deal, policy.currency, today),
    )


async def _elsewhere(
    session: AsyncSession, deal: Opportunity, currency: str, today: Rates
) -> tuple[OtherGrant, ...]:
    """The discounts, granted or asked for, in this customer's other deals, through whichever partner.

    In deals that are worked, and in those that were signed lately: what is split into several
    deals is one all the same.
    """
    row = OpportunityRow
    signed = and_(
        col(row.status).in_((Status.WON.value, Status.HANDED_OFF.value)),
        col(row.updated_at) > utc_now() - _SIGNED,
    )
    kept: Any = col(row.state)["discounts"]
    statement = (
        select(col(row.id), col(row.title), col(row.amount), col(row.currency), kept.label("discounts"))
        .where(
            col(row.discounts) > 0,
            same_customer(deal.account_id, deal.customer.name),
            col(row.id) != deal.id,
            or_(~col(row.closed), signed),
        )
        .order_by(col(row.updated_at).desc(), col(row.id).desc())
        .limit(_DEALS)
    )
    found: list[OtherGrant] = []
    for each in await session.execute(statement):
        found.extend(_of_row(each, currency, today))
    found.sort(key=lambda grant: grant.value, reverse=True)
    return (*found[:_MOST], *_rest(found[_MOST:]))


def _rest(grants: Sequence[OtherGrant]) -> Iterator[OtherGrant]:
    """What is not named, as one."""
    if grants:
        yield grants[0].but(
            title=f"{len(grants)} more",
            percent=max(grant.percent for grant in grants),
            value=sum((grant.value for grant in grants), Decimal(0)),
            approval_id=None,
        )


def same_customer(account_id: UUID | None, name: str) -> ColumnElement[bool]:
    """The customer's deals: those of the account, and those under the name, whatever its case.

    Of deals with discounts it is served by index: ask for `discounts > 0` as well.
    """
    named = func.lower(col(OpportunityRow.customer)) == name.lower()
    if account_id is None:
        return named
    return or_(named, col(OpportunityRow.account_id) == account_id)


def _of_row(row: Any, currency: str, today: Rates) -> Iterator[OtherGrant]:
    """The discounts of one deal that count; their value is told where it can be converted."""
    for kept in row.discounts:
        discount = Discount.model_validate(kept)
        if discount.state in _COUNTING:
            yield OtherGrant(
                opportunity_id=row.id,
                title=row.title,
                percent=discount.percent,
                state=discount.state.value,
                value=_value(row, discount, currency, today),
                approval_id=discount.approval_id,
            )


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


async def replay_past(session: AsyncSession, draft: DiscountPolicyDefinition, rules: Rules) -> ReplayReport:
    """Every request for a discount that the deals have kept, closed ones too, through a draft."""
    replaying = Replaying(draft, rules, await policies.step_titles(session))
    async for past in _past_requests(session):
        await asyncio.to_thread(replaying.take, past)
    return replaying.report()


async def _past_requests(session: AsyncSession) -> AsyncIterator[list[PastRequest]]:
    """All requests, those of some hundred deals at a time."""
    row = OpportunityRow
    kept: Any = col(row.state)["discounts"]
    statement = (
        select(col(row.id), col(row.title), kept.label("discounts"))
        .where(col(row.discounts) > 0)
        .order_by(col(row.id))
        .limit(_PAGE)
    )
    after: UUID | None = None
    while True:
        found = statement if after is None else statement.where(col(row.id) > after)
        rows = (await session.execute(found)).all()
        if not rows:
            return
        after = rows[-1].id
        yield [
            PastRequest(opportunity_id=each.id, title=each.title, discount=Discount.model_validate(discount))
            for each in rows
            for discount in each.discounts
        ]


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
        .where(col(ApprovalSeatRow.approval_id) == approval_id, col(ApprovalSeatRow.step_key) != REQUESTER)
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
