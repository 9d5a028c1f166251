"""What the page of one request shows, read from the record: its deal, its history, its like."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.web import deal_view
from api.web.approval_facts import facts_of
from api.web.approval_view import Gate, Numbers, chain, ending, numbers
from api.web.deal_view import Entry
from db import approval_history, opportunity, timeline
from db.approval_history import Customer, Past, Record
from db.pages import PageRequest
from db.session import Database
from domain.approval.state import Approval
from domain.approval.verbs import seats_of
from domain.approval.view import sees_all
from domain.discount.facts import OtherGrant
from domain.errors import NotFound
from domain.opportunity.blockers import Blocker, blockers
from domain.opportunity.discounts import find
from domain.opportunity.state import Opportunity
from domain.percent import shown
from domain.principal import Principal

STORY = 8
"""Entries of the deal's timeline that the page tells; those about the request itself it shows otherwise."""
_LOOKED_THROUGH = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One percentage in the comparison; `width` is in percent of the largest."""

    title: str
    percent: str
    width: int
    kind: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Like:
    """A decision on another request, with what stands beside it in words."""

    past: Past
    numbers: Numbers | None

    @property
    def why(self) -> str:
        if self.past.same_customer:
            return "Same customer"
        return "Same partner" if self.past.same_partner else "About as much"


@dataclass(slots=True)
class Shown:
    """All that the page says beside the request itself."""

    gates: list[Gate]
    numbers: Numbers | None
    offer: Numbers | None
    facts: list[tuple[str, str]]
    ending: str
    sees_all: bool
    due_at: datetime | None
    rounds: list[tuple[int, list[Gate]]]
    deal: Opportunity | None = None
    blockers: list[Blocker] = field(default_factory=list)
    story: list[Entry] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    like: list[Like] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


async def gather(database: Database, principal: Principal, approval: Approval) -> Shown:
    """What the principal may see of all that it takes to decide."""
    mine = [step.due_at for step in seats_of(approval, principal) if step.due_at is not None]
    shown_ = Shown(
        gates=chain(approval.steps, principal),
        numbers=numbers(approval.facts, approval.percent),
        offer=numbers(approval.facts, approval.counter.percent) if approval.counter else None,
        facts=[] if numbers(approval.facts) else facts_of(approval.facts),
        ending=ending(approval),
        sees_all=sees_all(approval, principal),
        due_at=min(mine, default=approval.due_at),
        rounds=[(each.number, chain(each.steps, principal)) for each in approval.rounds],
    )
    if approval.subject.opportunity_id is not None:
        async with database.read() as session:
            await _add_deal(session, principal, approval, approval.subject.opportunity_id, shown_)
    return shown_


async def _add_deal(
    session: AsyncSession, principal: Principal, approval: Approval, deal_id: UUID, into: Shown
) -> None:
    try:
        deal = await opportunity.get(session, principal, deal_id)
    except NotFound:  # it is not recorded yet, or the partner is on it no more
        return
    told = await timeline.of_opportunity(session, principal, deal.id, PageRequest(_LOOKED_THROUGH))
    others = [
        each
        for each in told.items
        if each.approval_id != approval.id and not each.type.startswith("discount_")
    ]
    into.deal = deal
    into.blockers = [each for each in blockers(deal) if not each.code.startswith("discount")]
    into.story = [deal_view.entry(each) for each in others[:STORY]]
    if into.sees_all:
        await _add_history(session, approval, deal, into)


async def _add_history(session: AsyncSession, approval: Approval, deal: Opportunity, into: Shown) -> None:
    """How the partner's and the customer's requests went, and decisions on the like."""
    discount = find(deal, approval.subject.discount_id)
    partner = deal.partner(discount.partner_id if discount else approval.subject.partner_id)
    customer = Customer(deal.account_id, deal.customer.name)
    partner_id = partner.id if partner else None
    of_partner = await approval_history.of_partner(session, approval, partner_id)
    of_customer = await approval_history.of_customer(session, approval, customer)
    records = [(partner.name if partner else "", of_partner), (customer.name, of_customer)]
    into.bars = _bars(into.numbers, records)
    into.without = without_grants(records)
    grants = approval.facts.get("other_deals") or []
    into.elsewhere = [OtherGrant.model_validate(each).words for each in grants]
    past = await approval_history.comparable(session, approval, customer, partner_id)
    into.like = [Like(each, numbers(each.approval.facts, each.approval.percent)) for each in past]


def without_grants(records: list[tuple[str, Record]]) -> list[str]:
    """Of whom there is no average to compare with, and why."""
    return [
        f"{name}: {f'none of {each.decided} approved' if each.decided else 'nothing decided before'}."
        for name, each in records
        if name and each.average is None
    ]


def _bars(now: Numbers | None, records: list[tuple[str, Record]]) -> list[Bar]:
    """What is asked for beside the standard and what was given before."""
    if now is None:
        return []
    asked, standard = Decimal(now.percent), Decimal(now.standard)
    given = [(name, each) for name, each in records if name and each.average is not None]
    highest = max([asked, standard, *(each.highest or Decimal(0) for _, each in given)]) or Decimal(1)

    def width(percent: Decimal) -> int:
        return int(100 * percent / highest)

    tier = f"for {now.tier}" if now.tier else ""
    bars = [
        Bar("Asked for", now.percent, width(asked), "asked"),
        Bar("Standard", now.standard, width(standard), "standard", tier),
    ]
    for name, each in given:
        average = each.average or Decimal(0)
        note = f"{each.approved} of {each.decided} approved, at most {shown(each.highest or Decimal(0))} %"
        bars.append(Bar(f"{name}, on average", shown(average), width(average), "before", note))
    return bars
