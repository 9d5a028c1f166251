"""Recording: once, in order, announced, and told by the feed without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, select, text
from sqlmodel import col

from db import opportunity, recording, timeline
from db.session import Database
from db.tables import OpportunityPartnerRow, OpportunityRow, TimelineRow, WorkItemRow
from domain.errors import InvalidInput
from domain.opportunity import commands as ask
from domain.opportunity.draft import Outcome
from runtime.ids import new_id
from tests.factories import ASTER, BOREALIS, DIRECTOR, SELLER, Working, a_deal, principal
from tests.patience import PATIENCE

TABLES = (
    (TimelineRow, TimelineRow.stream_id),
    (OpportunityRow, OpportunityRow.id),
    (OpportunityPartnerRow, OpportunityPartnerRow.opportunity_id),
    (WorkItemRow, WorkItemRow.opportunity_id),
)


async def record(database: Database, outcome: Outcome) -> None:
    async with database.transaction() as session:
        await opportunity.record(session, outcome)


async def rows_of(database: Database, deal: Working) -> dict[str, Sequence[Any]]:
    """Everything that is stored of the deal."""
    found: dict[str, Sequence[Any]] = {}
    async with database.read() as session:
        for model, key in TABLES:
            statement = select(*model.__table__.columns).where(col(key) == deal.deal.id)
            rows = [tuple(row) for row in await session.execute(statement)]
            found[model.__tablename__] = sorted(rows, key=repr)
    return found


def so_far(deal: Working, since: int = 0) -> Outcome:
    """The deal as it is now, with what happened after the version `since`."""
    entries = tuple(entry for entry in deal.entries if entry.sequence > since)
    return Outcome.model_construct(opportunity=deal.deal, entries=entries)


@pytest.fixture
def deal() -> Working:
    return a_deal(id=new_id(), partners=(ASTER, BOREALIS))


async def test_the_same_outcome_twice_is_recorded_once(database: Database, deal: Working):
    await record(database, so_far(deal))
    once = await rows_of(database, deal)
    await record(database, so_far(deal))
    assert await rows_of(database, deal) == once
    assert [len(rows) for rows in once.values()][:3] == [2, 1, 2]


async def test_an_older_outcome_after_a_newer_one_changes_nothing(database: Database, deal: Working):
    older = so_far(deal)
    deal.ask(ask.RemovePartner(partner_id=BOREALIS.id)).complete("confirm-budget")
    await record(database, older)
    await record(database, so_far(deal, since=2))
    newest = await rows_of(database, deal)
    await record(database, older)
    assert await rows_of(database, deal) == newest
    async with database.read() as session:
        assert await opportunity.recorded_version(session, deal.deal.id) == deal.deal.version


async def test_nothing_of_an_outcome_that_cannot_be_stored_is_kept(database: Database, deal: Working):
    deal.deal.title = "A null \0 in the title"
    with pytest.raises(InvalidInput, match="null character"):
        await record(database, so_far(deal))
    assert not any((await rows_of(database, deal)).values())


async def test_listeners_are_told_when_it_is_committed(database: Database, deal: Working):
    plain = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(plain, autocommit=True) as listening:
        await listening.execute(f"LISTEN {recording.CHANNEL}")
        async with database.transaction() as session:
            await opportunity.record(session, so_far(deal))
            await session.execute(text("SELECT 1"))
        async for heard in listening.notifies(timeout=PATIENCE):
            if str(deal.deal.id) in heard.payload:  # others record meanwhile
                return
    pytest.fail("nobody was told")


async def test_the_feed_waits_for_a_transaction_that_began_earlier(database: Database):
    slow, quick = a_deal(id=new_id()), a_deal(id=new_id())
    somebody = principal(DIRECTOR)

    async def heard(after: timeline.Place) -> list[Any]:
        async with database.read() as session:
            told = await timeline.feed(session, somebody, after, 100)
        return [event.opportunity_id for event in told]

    async with database.read() as session:
        start = await timeline.now(session)
    async with database.transaction() as session:
        await opportunity.record(session, so_far(slow))  # positions are drawn, nothing is committed
        await record(database, so_far(quick))
        assert quick.deal.id not in await heard(start), "who read on from it would miss the slow one"
    both = await heard(start)
    assert [each for each in both if each in (slow.deal.id, quick.deal.id)] == [
        slow.deal.id,
        slow.deal.id,
        quick.deal.id,
        quick.deal.id,
    ]


async def test_a_partner_hears_of_its_own_deals_only(database: Database):
    async with database.read() as session:
        start = await timeline.now(session)
    ours, theirs = a_deal(id=new_id(), partners=(ASTER,)), a_deal(id=new_id(), partners=(BOREALIS,))
    for each in (ours, theirs):
        await record(database, so_far(each))
    async with database.read() as session:
        told = await timeline.feed(session, principal(SELLER), start, 100)
    heard = {event.opportunity_id for event in told}
    assert ours.deal.id in heard
    assert theirs.deal.id not in heard
