"""What was asked for and decided before: for those who decide on the next request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.approval import visible
from db.discounts import same_customer
from db.tables import ApprovalRow, OpportunityPartnerRow, OpportunityRow
from domain.approval.policy import PolicyRef
from domain.approval.state import Approval, ApprovalState, Facts
from domain.principal import Principal

_ENDED = (ApprovalState.APPROVED.value, ApprovalState.REJECTED.value)
_RECENT = 500
"""So many decisions are looked through for those that are like a request."""


@dataclass(frozen=True, slots=True)
class Record:
    """How the requests of one partner or one customer went; no percentages where none was approved."""

    approved: int
    rejected: int
    average: Decimal | None
    highest: Decimal | None

    @property
    def decided(self) -> int:
        return self.approved + self.rejected


@dataclass(frozen=True, slots=True)
class Past:
    """A decision on another request."""

    approval: Approval
    same_customer: bool
    same_partner: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """What a list says of a request besides its title."""

    facts: Facts
    policy: PolicyRef | None
    reason: str | None
    requester: str
    organisation: str | None
    opportunity: str | None


async def digests(session: AsyncSession, principal: Principal, ids: Sequence[UUID]) -> dict[UUID, Digest]:
    """What there is to say of these requests, for people of the vendor, by id."""
    if principal.partner_id is not None:
        return {}
    state: Any = col(ApprovalRow.state_json)
    statement = select(
        col(ApprovalRow.id),
        state["facts"].label("facts"),
        state["policy"].label("policy"),
        state["reason"].astext.label("reason"),
        state["requester"].label("requester"),
        state["subject"]["opportunity"].astext.label("opportunity"),
    ).where(col(ApprovalRow.id).in_(ids), visible(principal))
    return {row.id: _digest(row) for row in await session.execute(statement)}


def _digest(row: Any) -> Digest:
    return Digest(
        facts=row.facts or {},
        policy=PolicyRef.model_validate(row.policy) if row.policy else None,
        reason=row.reason,
        requester=row.requester["name"],
        organisation=row.requester.get("organisation"),
        opportunity=row.opportunity,
    )


async def of_partner(session: AsyncSession, approval: Approval, partner_id: UUID | None) -> Record:
    """How other requests on this partner's deals went. Only for those who see all of the request."""
    return await _record(session, approval, _with_partner(partner_id))


async def of_customer(session: AsyncSession, approval: Approval, customer: Customer) -> Record:
    """How other requests on this customer's deals went. Only for those who see all of the request."""
    return await _record(session, approval, customer.owns_deal())


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose deals count as one customer's: those of the account, and those by the name."""

    account_id: UUID | None
    name: str

    def owns_deal(self) -> ColumnElement[bool]:
        return and_(col(OpportunityRow.discounts) > 0, same_customer(self.account_id, self.name))


def _with_partner(partner_id: UUID | None) -> ColumnElement[bool]:
    if partner_id is None:
        return false()
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(ApprovalRow.opportunity_id),
        col(OpportunityPartnerRow.partner_id) == partner_id,
    )


def _others(approval: Approval) -> ColumnElement[bool]:
    return and_(
        col(ApprovalRow.kind) == approval.subject.kind,
        col(ApprovalRow.id) != approval.id,
        col(ApprovalRow.state).in_(_ENDED),
    )


async def _record(session: AsyncSession, approval: Approval, whose: ColumnElement[bool]) -> Record:
    approved = col(ApprovalRow.state) == ApprovalState.APPROVED.value
    percent = col(ApprovalRow.percent)
    statement = (
        select(
            func.count().filter(approved).label("approved"),
            func.count().filter(~approved).label("rejected"),
            func.round(func.avg(percent).filter(approved), 1).label("average"),
            func.max(percent).filter(approved).label("highest"),
        )
        .select_from(ApprovalRow)
        .join(OpportunityRow, col(OpportunityRow.id) == col(ApprovalRow.opportunity_id))
        .where(_others(approval), whose)
    )
    row = (await session.execute(statement)).one()
    return Record(row.approved, row.rejected, row.average, row.highest)


async def comparable(
    session: AsyncSession, approval: Approval, customer: Customer, partner_id: UUID | None, most: int = 5
) -> list[Past]:
    """Decisions on requests like this one: the customer's and the partner's first, then of like height.

    Only for those who see all of the request.
    """
    found = await session.execute(_like(approval, customer, partner_id).limit(most))
    return [Past(Approval.model_validate(state), customers, partners) for state, customers, partners in found]


def _like(approval: Approval, customer: Customer, partner_id: UUID | None) -> Select[*tuple[Any, ...]]:
    row = ApprovalRow
    recent = select(col(row.id)).where(_others(approval)).order_by(col(row.updated_at).desc()).limit(_RECENT)
    same_customer = func.coalesce(customer.owns_deal(), false()).label("same_customer")
    same_partner = _with_partner(partner_id).label("same_partner")
    far = func.abs(func.coalesce(col(row.percent), 0) - (approval.percent or 0))
    return (
        select(
            col(row.state_json),
            same_customer,
            same_partner,
        )
        .outerjoin(OpportunityRow, col(OpportunityRow.id) == col(row.opportunity_id))
        .where(col(row.id).in_(recent))
        .order_by(
            case((same_customer.element, 0), (same_partner.element, 1), else_=2),
            far,
            col(row.updated_at).desc(),
            col(row.id),
        )
    )
