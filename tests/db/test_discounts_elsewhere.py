"""What a customer is given in other deals: whoever sells, however the deal is cut, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, text
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from db import discounts, opportunity
from db.discounts import same_customer
from db.session import Database
from db.tables import OpportunityRow
from db.tables.base import utc_now
from domain.discount.facts import OtherGrant
from domain.discount.policy import DiscountPolicyDefinition
from domain.opportunity.draft import Outcome
from domain.opportunity.state import Customer, Opportunity, Status
from runtime.ids import new_id
from runtime.policies import RULES
from tests.bargains import POLICY, Bargain, a_bargain, money
from tests.factories import ASTER, BOREALIS, CYGNUS


@pytest_asyncio.fixture
async def customer(database: Database) -> AsyncIterator[str]:
    """One whose deals are gone afterwards: there are many, and newer than any that others ask for."""
    name = f"Acme {uuid4()}"
    yield name
    async with database.transaction() as session:
        theirs = col(OpportunityRow.customer).istartswith(name)
        await session.execute(delete(OpportunityRow).where(theirs))


def a_deal(customer: str, **more: Any) -> Bargain:
    return a_bargain(id=new_id(), customer=Customer(name=customer), **more)


async def keep(database: Database, *deals: Opportunity) -> None:
    async with database.transaction() as session:
        for deal in deals:
            await opportunity.record(session, Outcome(opportunity=deal, entries=()))


async def elsewhere(database: Database, deal: Bargain) -> tuple[OtherGrant, ...]:
    """What is known of the customer's other deals as somebody asks on this one."""
    deal.want("15")
    async with database.read() as session:
        around = await discounts.around(session, deal.deal, deal.newest, POLICY)
    return around.elsewhere


async def test_every_deal_of_the_customer_counts_whichever_partner_sells(
    database: Database, customer: str
) -> None:
    account = new_id()
    same = a_deal(customer, partners=(ASTER,), account_id=account)
    other = a_deal(customer.upper(), partners=(CYGNUS,))
    alone = a_deal("Another name", partners=(), account_id=account)
    stranger = a_deal(f"{customer} too", partners=(ASTER,))
    for number, deal in enumerate((same, other, alone, stranger)):
        deal.granted(f"2{number}")
        await keep(database, deal.deal)
    found = await elsewhere(database, a_deal(customer, partners=(BOREALIS,), account_id=account))
    assert {grant.opportunity_id for grant in found} == {same.deal.id, other.deal.id, alone.deal.id}
    named = await elsewhere(database, a_deal(customer, partners=(BOREALIS,)))
    assert {grant.opportunity_id for grant in named} == {same.deal.id, other.deal.id}


async def test_what_was_handed_off_lately_counts_and_what_was_lost_does_not(
    database: Database, customer: str
) -> None:
    ends: dict[UUID, str] = {}
    for status, age in (
        (Status.WON, 1),
        (Status.HANDED_OFF, 30),
        (Status.HANDED_OFF, 400),
        (Status.LOST, 1),
        (Status.ON_HOLD, 400),
    ):
        deal = a_deal(customer)
        deal.granted("20")
        deal.deal.status, deal.deal.updated_at = status, utc_now() - timedelta(days=age)
        await keep(database, deal.deal)
        ends[deal.deal.id] = f"{status.value} {age}"
    found = await elsewhere(database, a_deal(customer))
    assert {ends[grant.opportunity_id] for grant in found} == {"won 1", "handed_off 30", "on_hold 400"}


async def test_many_deals_are_all_added_up(database: Database, customer: str) -> None:
    for number in range(103):
        deal = a_deal(customer, amount=money(f"{100000 + number}.00"))
        deal.granted("20")
        await keep(database, deal.deal)
    for _ in range(30):  # newer, and of no account
        await keep(database, a_deal(customer).deal)
    found = await elsewhere(database, a_deal(customer))
    assert sum((grant.value for grant in found), Decimal(0)) == sum(
        (Decimal(100000 + number) / 5 for number in range(103)), Decimal(0)
    )
    assert (len(found), found[-1].title) == (101, "3 more")


async def test_a_customers_deals_with_discounts_are_found_by_index(database: Database, customer: str) -> None:
    statement = select(col(OpportunityRow.id)).where(
        col(OpportunityRow.discounts) > 0, same_customer(new_id(), customer)
    )
    written = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    async with database.read() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await session.execute(text(f"EXPLAIN {written}"))).scalars())
    assert "ix_opportunity_discounts" in plan, "by one of the two, whichever is smaller in so small a table"
    assert "Seq Scan" not in plan


async def test_past_requests_are_read_some_at_a_time(
    database: Database, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = DiscountPolicyDefinition.model_validate(POLICY.model_dump(exclude={"version"}))
    async with database.read() as session:
        before = await discounts.replay_past(session, draft, RULES)
    for _ in range(5):
        deal = a_deal(customer)
        deal.granted("20")
        await keep(database, deal.deal)
    monkeypatch.setattr(discounts, "_PAGE", 2)
    async with database.read() as session:
        after = await discounts.replay_past(session, draft, RULES)
    assert after.requests == before.requests + 5
    assert after.approvals_before == before.approvals_before + 5
