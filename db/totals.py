"""How much is in the pipeline with each partner and account, and how their deals ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from db import pipeline_totals
from db.opportunity import visible
from db.tables import OpportunityPartnerRow, OpportunityRow, PipelineTotal
from domain.money import Money
from domain.opportunity.state import Status
from domain.principal import Principal

Deal = OpportunityRow


@dataclass(slots=True)
class Standing:
    """The deals with somebody: how many run, what they are worth in each currency, how many ended and how."""

    open_count: int = 0
    won_count: int = 0
    lost_count: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)

    @property
    def sums(self) -> list[Money]:
        """The value of the running deals, a sum for each currency."""
        return [Money(amount=amount, currency=currency) for currency, amount in sorted(self.value.items())]

    @property
    def win_rate(self) -> int | None:
        """Won deals among those decided, in percent; None before one is decided."""
        decided = self.won_count + self.lost_count
        return round(100 * self.won_count / decided) if decided else None

    def add(self, status: str, currency: str | None, count: int, amount: Decimal | None) -> None:
        """Count some deals of one status and currency."""
        match status:
            case Status.LOST:
                self.lost_count += count
            case Status.WON | Status.HANDED_OFF:
                self.won_count += count
            case _:
                self.open_count += count
                if currency is not None and amount is not None:
                    self.value[currency] = self.value.get(currency, Decimal(0)) + amount


async def of_partners(
    session: AsyncSession, principal: Principal, partner_ids: Iterable[UUID]
) -> dict[UUID, Standing]:
    """The standing of each of these partners, over the deals that the principal sees."""
    ids = list(partner_ids)
    if principal.partner_id is None or set(ids) <= {principal.partner_id}:  # all deals of each of them
        kept = pipeline_totals.by_partner()
        return await _standings(session, kept, col(PipelineTotal.partner_id).in_(ids), ids)
    taking = aliased(OpportunityPartnerRow)  # apart from the one that `visible` asks
    key = col(taking.partner_id)
    statement = _sums(principal, key).join(taking, col(taking.opportunity_id) == col(Deal.id))
    return await _standings(session, statement, key.in_(ids), ids)


async def of_accounts(
    session: AsyncSession, principal: Principal, account_ids: Iterable[UUID]
) -> dict[UUID, Standing]:
    """The standing of each of these accounts, over the deals that the principal sees."""
    ids = list(account_ids)
    key = col(Deal.account_id)
    return await _standings(session, _sums(principal, key), key.in_(ids), ids)


def _sums(principal: Principal, key: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    status, currency = col(Deal.status), col(Deal.currency)
    return (
        select(key, status, currency, func.count(), func.sum(col(Deal.amount)))
        .select_from(Deal)
        .where(visible(principal))
        .group_by(key, status, currency)
    )


async def _standings(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], wanted: ColumnElement[bool], ids: list[UUID]
) -> dict[UUID, Standing]:
    found = {each: Standing() for each in ids}
    if ids:
        for key, status, currency, count, amount in await session.execute(statement.where(wanted)):
            if count:
                found[key].add(status, currency, count, amount)
    return found
