"""The kept totals of the pipeline are what its deals add up to, whatever happens to them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, delete, make_url, select, text, update
from sqlalchemy.pool import NullPool
from sqlmodel import col

from api.housekeeping import fold
from db import board, migrate, opportunity, pipeline_totals, totals
from db.board import _Asked, _kept_sums, _live_sums
from db.pipeline import Filters
from db.session import Database
from db.tables import OpportunityPartnerRow, OpportunityRow, PipelineTotal
from domain.errors import TandemError
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.draft import Outcome
from domain.playbook import Phase
from domain.principal import Principal
from ops.doctor import recount_pipeline
from runtime.ids import new_id
from runtime.settings import Settings
from tests.factories import (
    ASTER,
    BOREALIS,
    CYGNUS,
    DIRECTOR,
    REP,
    SELLER,
    Working,
    a_deal,
    a_playbook,
    a_won_deal,
    principal,
)

VENDOR, PARTNER = principal(REP), principal(SELLER)
PHASES = [phase.value for phase in Phase]


@pytest.fixture(autouse=True)
async def counted_anew(database: Database) -> None:
    """Other tests write rows of deals by hand, such as of a partner on no deal at all."""
    async with database.transaction() as session:
        await pipeline_totals.recount(session)


async def how_many_are_wrong(database: Database) -> int:
    async with database.read() as session:
        return await pipeline_totals.wrong(session)


async def record(database: Database, deal: Working, since: int = 0) -> None:
    entries = tuple(entry for entry in deal.entries if entry.sequence > since)
    async with database.transaction() as session:
        outcome = Outcome.model_construct(opportunity=deal.deal, entries=entries)
        await opportunity.record(session, outcome)


def some_command(chance: random.Random, deal: Working) -> ask.Command:
    stages = [stage.key for stage in deal.deal.playbook.stages]
    partner = chance.choice((ASTER, BOREALIS, CYGNUS))
    amount = Money(amount=str(chance.randrange(10**6)), currency=chance.choice(["USD", "EUR", "JPY"]))
    commands: list[ask.Command] = [
        ask.Move(stage=chance.choice(stages), reason="For a change"),
        ask.Change(amount=amount),
        ask.HoldDeal(reason="Not now"),
        ask.Resume(),
        ask.Lose(reason="price"),
        ask.Reopen(reason="Again"),
        ask.AddPartner(partner=partner),
        ask.RemovePartner(partner_id=partner.id),
        ask.AddNote(text="Nothing that is counted"),
        ask.Win(),
    ]
    return chance.choice(commands)


async def play(database: Database, chance: random.Random, deal: Working, moves: int) -> None:
    """Record the deal with random commands, one or some at a time, and some of them twice."""
    await record(database, deal)
    for _ in range(moves):
        before = deal.deal.version
        for _ in range(chance.choice((1, 1, 3))):
            try:
                deal.ask(some_command(chance, deal), by=DIRECTOR)
            except TandemError:
                continue
        await record(database, deal, since=before)
        if chance.random() < 0.2:
            await record(database, deal, since=before)


async def sums(database: Database, whose: Principal, wanted: Filters, *, kept: bool) -> Sequence[Any]:
    """What a board says of each stage, from what is kept or from the deals themselves."""
    asked = _Asked(whose, wanted, "stage", ())
    assert asked.is_kept
    async with database.read() as session:
        rows = (await session.execute((_kept_sums if kept else _live_sums)(asked))).all()
    return sorted((row[0], row[1] or "", row[2], row[3] or 0) for row in rows if row[2])


@pytest.mark.parametrize("seed", range(4))
async def test_totals_follow_every_change(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        partners = tuple(chance.sample((ASTER, BOREALIS, CYGNUS), chance.randrange(4)))
        amount = chance.choice([None, Money(amount="1200.50", currency="USD")])
        await play(database, chance, a_deal(id=new_id(), partners=partners, amount=amount), 12)
        assert await how_many_are_wrong(database) == 0
    await fold(database)
    assert await how_many_are_wrong(database) == 0


async def test_a_board_says_of_kept_totals_what_the_deals_say(database: Database) -> None:
    chance = random.Random("boards")
    for _ in range(6):
        partners = tuple(chance.sample((ASTER, BOREALIS), chance.randrange(3)))
        await play(database, chance, a_deal(id=new_id(), partners=partners), 5)
    await record(database, a_won_deal(id=new_id()))
    cases = [
        (VENDOR, Filters()),
        (VENDOR, Filters(closed=False)),
        (VENDOR, Filters(playbook=a_deal().deal.playbook.key)),
        (VENDOR, Filters(playbook="none")),
        (VENDOR, Filters(partner_id=BOREALIS.id)),
        (PARTNER, Filters()),
        (PARTNER, Filters(partner_id=ASTER.id, playbook=a_deal().deal.playbook.key)),
    ]
    for whose, wanted in cases:
        kept = await sums(database, whose, wanted, kept=True)
        assert kept == await sums(database, whose, wanted, kept=False)
        assert kept or wanted.playbook == "none"


@pytest.mark.parametrize(
    ("whose", "wanted"),
    [
        (VENDOR, Filters(owner_id=uuid4())),
        (VENDOR, Filters(q="erp")),
        (VENDOR, Filters(closed=True)),
        (VENDOR, Filters(status="on_hold")),
        (PARTNER, Filters(partner_id=BOREALIS.id)),
    ],
)
async def test_what_is_not_kept_is_added_up(database: Database, whose: Principal, wanted: Filters) -> None:
    assert not _Asked(whose, wanted, "phase", tuple(PHASES)).is_kept
    await board.board(database, whose, wanted, by="phase", keys=PHASES)


async def counted(database: Database, whose: Principal, **filters: Any) -> int:
    columns = await board.board(database, whose, Filters(**filters), by="phase", keys=PHASES)
    return sum(column.count for column in columns)


async def test_a_partner_counts_the_deals_that_it_takes_part_in(database: Database) -> None:
    whose = {"all": VENDOR, "aster": PARTNER}
    before = {name: await counted(database, who) for name, who in whose.items()}
    shared = await counted(database, PARTNER, partner_id=BOREALIS.id)
    deal = a_deal(id=new_id(), partners=(BOREALIS,))
    await record(database, deal)
    assert await counted(database, VENDOR) == before["all"] + 1
    assert await counted(database, PARTNER) == before["aster"]
    deal.ask(ask.AddPartner(partner=ASTER))
    await record(database, deal, since=1)
    assert await counted(database, PARTNER) == before["aster"] + 1
    deal.ask(ask.RemovePartner(partner_id=ASTER.id))
    await record(database, deal, since=2)
    assert await counted(database, PARTNER) == before["aster"]
    assert await counted(database, PARTNER, partner_id=BOREALIS.id) == shared


async def test_writers_at_once_and_somebody_who_folds_lose_nothing(database: Database) -> None:
    deals = [a_deal(id=new_id(), partners=(ASTER, BOREALIS)) for _ in range(8)]
    playing = [
        asyncio.create_task(play(database, random.Random(number), deal, 8))
        for number, deal in enumerate(deals)
    ]
    while not all(task.done() for task in playing):
        await asyncio.gather(fold(database), fold(database))
        assert await how_many_are_wrong(database) == 0
    await asyncio.gather(*playing)
    assert await how_many_are_wrong(database) == 0


async def test_what_is_folded_meanwhile_is_not_counted_twice(database: Database) -> None:
    for _ in range(2):
        await record(database, a_deal(id=new_id(), partners=(ASTER,)))

    async def recount() -> None:
        async with database.transaction() as session:
            await pipeline_totals.recount(session)

    async with database.transaction() as session:
        await pipeline_totals.fold(session)
        recounting = asyncio.create_task(recount())
        while not await _somebody_waits(database):
            assert not recounting.done()
    await recounting
    assert await how_many_are_wrong(database) == 0


async def _somebody_waits(database: Database) -> bool:
    """Whether another connection is held up by a lock."""
    async with database.read() as session:
        held_up = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool((await session.execute(held_up)).scalar_one())


async def test_folding_leaves_one_row_of_each_kind_and_none_of_nothing(database: Database) -> None:
    book = a_playbook(key=f"folded-{new_id()}")
    money = Money(amount="77.00", currency="XPF")
    deal = a_deal(id=new_id(), partners=(CYGNUS,), amount=money, playbook=book)
    mine = select(PipelineTotal).where(
        col(PipelineTotal.currency) == "XPF", col(PipelineTotal.playbook_key) == deal.deal.playbook.key
    )
    await record(database, deal)
    for stage in ("validation", "prospecting"):
        version = deal.deal.version
        keys = [each.key for each in deal.deal.playbook.stages]
        deal.ask(ask.Move(stage=keys[1] if stage == "validation" else keys[0], reason="To and fro"))
        await record(database, deal, since=version)
    async with database.read() as session:
        assert len((await session.execute(mine)).all()) > 2
    await fold(database)
    async with database.read() as session:
        left = (await session.execute(mine)).scalars().all()
    assert sorted((row.partner_id is None, row.deals, row.amount) for row in left) == [
        (False, 1, Decimal(77)),
        (True, 1, Decimal(77)),
    ]


async def test_a_rebuilt_deal_is_counted_once(database: Database) -> None:
    deal = a_deal(id=new_id(), partners=(ASTER,))
    await record(database, deal)
    async with database.transaction() as session:
        await session.execute(
            update(OpportunityRow).where(col(OpportunityRow.id) == deal.deal.id).values(stage_key="mangled")
        )
        outcome = Outcome.model_construct(opportunity=deal.deal, entries=tuple(deal.entries))
        await opportunity.restore(session, outcome)
    assert await how_many_are_wrong(database) == 0


async def test_totals_that_somebody_spoilt_are_found_and_counted_anew(
    database: Database, settings: Settings
) -> None:
    await record(database, a_deal(id=new_id(), partners=(ASTER,)))
    async with database.transaction() as session:
        await session.execute(delete(PipelineTotal).where(col(PipelineTotal.partner_id) == ASTER.id))
    assert await how_many_are_wrong(database) > 0
    assert "had been wrong" in await recount_pipeline(settings)
    assert await how_many_are_wrong(database) == 0
    assert "none of them" in await recount_pipeline(settings)


async def test_the_standing_of_a_partner_is_as_its_deals_are(database: Database) -> None:
    async with database.read() as session:
        kept = await totals.of_partners(session, VENDOR, [ASTER.id, BOREALIS.id])
        own = await totals.of_partners(session, PARTNER, [ASTER.id])
        shared = await totals.of_partners(session, PARTNER, [ASTER.id, BOREALIS.id])
    assert own[ASTER.id] == kept[ASTER.id] == shared[ASTER.id]
    assert shared[BOREALIS.id].open_count <= kept[BOREALIS.id].open_count


def test_a_database_of_before_is_counted_when_it_is_migrated(settings: Settings) -> None:
    assert settings.database_url is not None
    name = f"before_{uuid4().hex}"
    with create_engine(settings.database_url, isolation_level="AUTOCOMMIT").connect() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
    migrate.upgrade(url, "0010")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for number in range(6):
            connection.execute(
                text(
                    "INSERT INTO opportunity (id, version, status, closed, title, customer, search, amount,"
                    " currency, playbook_key, playbook_version, stage_key, stage, phase, probability, card,"
                    " state, created_at, updated_at) VALUES (:id, 1, :status, :closed, 'Old', 'Acme', 'old',"
                    " 12.50, 'USD', 'it', 1, 'demo', 'Demo', 'qualified', 10, '{}', '{}', now(), now())"
                ),
                {
                    "id": UUID(int=number),
                    "status": "lost" if number % 2 else "open",
                    "closed": number % 2 > 0,
                },
            )
        connection.execute(
            text(
                "INSERT INTO opportunity_partner SELECT id, :partner, 'Aster', 'reseller' FROM opportunity"
                " WHERE NOT closed UNION ALL SELECT :gone, :partner, 'Aster', 'reseller'"
            ),
            {"partner": ASTER.id, "gone": UUID(int=99)},
        )
    migrate.upgrade(url)
    with engine.begin() as connection:
        kept = connection.execute(
            text("SELECT partner_id, closed, deals, amount FROM pipeline_total ORDER BY partner_id, closed")
        ).all()
        connection.execute(delete(OpportunityPartnerRow))
        left = connection.execute(text("SELECT sum(deals) FROM pipeline_total WHERE partner_id IS NOT NULL"))
        assert left.scalar_one() == 0
    assert [tuple(row) for row in kept] == [
        (ASTER.id, False, 3, 37.5),
        (None, False, 3, 37.5),
        (None, True, 3, 37.5),
    ]
    migrate.check(url)
