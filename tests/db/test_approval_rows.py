"""Requests in PostgreSQL: recorded once, and read by whom they concern."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from db import approval as approvals
from db import opportunity, timeline, work
from db.pages import PageRequest
from db.session import Database
from db.tables import ApprovalRow, ApprovalSeatRow, TimelineRow
from db.work import Group, Until
from domain.approval import commands as ask
from domain.approval.directory import Directory, PersonEntry
from domain.approval.draft import ApprovalOutcome
from domain.approval.state import ApprovalState, Subject
from domain.errors import NotFound
from domain.opportunity.rules import open_deal
from domain.opportunity.work import WorkKind
from domain.playbook import Playbook
from domain.principal import Principal, Role, Side
from runtime.ids import new_id
from tests.approvals import DIRK, DORA, FRED, MONDAY, OFFICE, RITA, Game, person, step
from tests.factories import ASTER, BOREALIS, REP, opening

FIRST = PageRequest()


def principal(entry: PersonEntry, organisation_id: UUID | None = None) -> Principal:
    return Principal(
        id=entry.id,
        name=entry.name,
        email=entry.email,
        side=entry.side,
        organisation_id=organisation_id or entry.organisation_id,
        organisation=entry.side.value,
        roles=frozenset(entry.roles),
    )


SELLER = person(71, "Sam Seller", Role.PARTNER_SELLER, side=Side.PARTNER).model_copy(
    update={"organisation_id": ASTER.id}
)
RIVAL = person(72, "Bo Rival", Role.PARTNER_SELLER, side=Side.PARTNER).model_copy(
    update={"organisation_id": BOREALIS.id}
)


class Desk:
    """Requests on a recorded deal of two partners; every move is recorded."""

    def __init__(self, database: Database, deal: UUID) -> None:
        self.database = database
        self.deal = deal

    async def asked(self, *, by: PersonEntry = RITA, partner: UUID | None = None, **more: Any) -> Game:
        subject = Subject(title="ERP rollout", opportunity_id=self.deal, partner_id=partner)
        game = Game().submit(step(), by=by, id=new_id(), subject=subject, **more)
        await self.record(game)
        return game

    async def record(self, game: Game) -> None:
        """Write what has happened since the last time."""
        outcome = ApprovalOutcome(approval=game.approval, entries=tuple(game.entries))
        game.entries.clear()
        async with self.database.transaction() as session:
            await approvals.record(session, outcome)

    async def told(self, reader: Principal) -> list[str]:
        async with self.database.read() as session:
            page = await timeline.of_opportunity(session, reader, self.deal, FIRST)
        return [each.words for each in page.items]

    async def read(self, reader: Principal, game: Game) -> Any:
        async with self.database.read() as session:
            return await approvals.get(session, reader, game.approval.id)


@pytest.fixture
async def desk(database: Database, playbook: Playbook) -> Desk:
    command = opening(id=new_id(), partners=(ASTER, BOREALIS), playbook=playbook)
    async with database.transaction() as session:
        await opportunity.record(session, open_deal(command, MONDAY, REP))
    return Desk(database, command.id)


async def test_the_same_again_changes_nothing_and_an_older_state_does_not_come_back(
    desk: Desk, database: Database
):
    game = await desk.asked()
    before = ApprovalOutcome(approval=game.approval, entries=())
    game.approve(DORA)
    after = ApprovalOutcome(approval=game.approval, entries=tuple(game.entries))
    async with database.transaction() as session:
        for outcome in (after, after, before):
            await approvals.record(session, outcome)
    count = select(func.count()).select_from(TimelineRow)
    row = select(ApprovalRow).where(col(ApprovalRow.id) == game.approval.id)
    seats = select(func.count()).select_from(ApprovalSeatRow)
    async with database.read() as session:
        told = await session.execute(count.where(col(TimelineRow.stream_id) == game.approval.id))
        kept = (await session.execute(row)).scalar_one()
        sitting = await session.execute(seats.where(col(ApprovalSeatRow.approval_id) == game.approval.id))
        assert told.scalar_one() == game.approval.version
        assert (kept.state, kept.version, kept.open) == ("approved", game.approval.version, False)
        assert sitting.scalar_one() == 0


async def test_what_a_step_recorded_that_never_counted_gives_way(desk: Desk, database: Database):
    game = await desk.asked()
    lost = Game(known=game.approval, now=game.now + timedelta(minutes=1)).approve(DORA)
    await desk.record(lost)  # and the worker died before Temporal knew
    game.now += timedelta(minutes=5)
    game.ask(ask.Reject(comment="No."), DIRK)
    await desk.record(game)
    words = await desk.told(principal(DORA))
    assert words[0] == "Dirk Desk rejected 27.5 % on ERP rollout. “No.”"
    assert not [each for each in words if "approved" in each]


async def test_a_request_read_again_is_the_same(desk: Desk):
    game = await desk.asked()
    assert await desk.read(principal(DORA), game) == game.approval


async def test_the_timeline_of_a_deal_tells_of_its_requests_and_partners_only_what_is_theirs(desk: Desk):
    game = await desk.asked(by=SELLER, partner=ASTER.id)
    game.pass_time(timedelta(hours=5)).approve(DORA)
    await desk.record(game)
    vendors = await desk.told(principal(RITA))
    assert vendors[0] == "27.5 % on ERP rollout was approved."
    assert "Desk: Dora Desk, Dirk Desk and Dina Desk reminded." in vendors
    theirs = [words for words in await desk.told(principal(SELLER)) if "27.5" in words or "Desk" in words]
    assert theirs == [
        "27.5 % on ERP rollout was approved.",
        "Sam Seller asked for 27.5 % on ERP rollout: A competitor offers less.",
    ]
    assert not [words for words in await desk.told(principal(RIVAL)) if "27.5" in words]
    async with desk.database.read() as session:
        feed = [each async for each in _all_of(session, principal(RIVAL))]
    assert not [each for each in feed if each.approval_id == game.approval.id]


async def _all_of(session: Any, reader: Principal) -> Any:
    place = None
    while found := await timeline.feed(session, reader, place, 200):
        place = found[-1].place
        for each in found:
            yield each


async def test_a_partner_reads_what_was_said_and_not_by_which_rule_or_for_whom(desk: Desk):
    game = await desk.asked(by=SELLER, partner=ASTER.id)
    game.ask(ask.Reject(comment="Too much."), DORA)
    await desk.record(game)

    async def read(reader: Principal) -> Any:
        async with desk.database.read() as session:
            page = await timeline.of_approval(session, reader, game.approval.id, FIRST)
        return page.items[0]

    assert (await read(principal(DORA))).data["decision"]["via"] == "deal desk"
    theirs = await read(principal(SELLER))
    assert theirs.words.endswith("“Too much.”")
    assert theirs.data == {"what": game.approval.title, "step": "desk"}


async def test_what_the_vendor_asks_for_itself_no_partner_hears_of(desk: Desk):
    game = await desk.asked()
    with pytest.raises(NotFound):
        await desk.read(principal(SELLER), game)
    assert not [words for words in await desk.told(principal(SELLER)) if "27.5" in words]


async def test_everybody_sees_as_much_as_concerns_them(desk: Desk):
    facts = {"discount": {"percent": 27.5}, "margin": {"percent": 3}}
    game = await desk.asked(by=SELLER, partner=ASTER.id, facts=facts, internal_facts=("margin",))
    full = await desk.read(principal(DORA), game)
    assert full.facts == facts
    assert len(full.steps[0].approvers) == 3
    assert "margin" not in (await desk.read(principal(RITA), game)).facts
    theirs = await desk.read(principal(SELLER), game)
    assert "margin" not in theirs.facts
    assert (theirs.steps[0].approvers, theirs.steps[0].rule, theirs.templates) == ((), "", ())
    with pytest.raises(NotFound):
        await desk.read(principal(RIVAL), game)


async def test_the_inbox_holds_what_waits_for_me_the_least_time_left_first(desk: Desk, database: Database):
    me = person(81, "Ina Inbox", Role.FINANCE)
    office = Directory(people=(*OFFICE.people, me))
    games = []
    for due in ("16bh", "2bh"):
        subject = Subject(title=f"Due in {due}", opportunity_id=desk.deal)
        template = step("only", {"person": me.email}, due=due)
        game = Game(directory=office).submit(template, id=new_id(), subject=subject)
        await desk.record(game)
        games.append(game)
    reader = principal(me)
    async with database.read() as session:
        page = await approvals.inbox(session, reader, FIRST)
        assert [each.title for each in page.items] == ["27.5 % on Due in 2bh", "27.5 % on Due in 16bh"]
        assert await approvals.inbox_count(session, reader) == 2
        items = (await work.page(session, reader, FIRST)).items
        assert [(each.item.kind, each.item.key) for each in items] == [
            (WorkKind.APPROVAL, str(game.approval.id)) for game in reversed(games)
        ]
        until = Until(MONDAY, MONDAY, MONDAY)
        assert await work.tally(session, reader, until) == {Group.LATER: 2}
    games[0].approve(me)
    await desk.record(games[0])
    async with database.read() as session:
        assert await approvals.inbox_count(session, reader) == 1
        first = PageRequest(limit=1)
        team = await work.page(session, principal(FRED), first, team=True)
        following = await work.page(session, principal(FRED), PageRequest(1, team.next_cursor), team=True)
        assert team.items != following.items


async def test_a_request_that_came_back_is_the_requesters_work(desk: Desk, database: Database):
    asker = person(82, "Roy Rep", Role.SALES_REP)
    game = await desk.asked(by=asker)
    game.ask(ask.Return(comment="Say more."), DORA)
    await desk.record(game)
    async with database.read() as session:
        page = await approvals.inbox(session, principal(asker), FIRST)
        assert [(each.seat_step, each.state) for each in page.items] == [
            ("Amend and submit again", ApprovalState.RETURNED)
        ]


async def test_lists_are_filtered_and_scoped(desk: Desk, database: Database):
    mine = await desk.asked()
    theirs = await desk.asked(by=SELLER, partner=ASTER.id)
    async with database.read() as session:

        async def ids(reader: Principal, **filters: Any) -> set[UUID]:
            page = await approvals.page(session, reader, FIRST, opportunity_id=desk.deal, **filters)
            return {each.id for each in page.items}

        both = {mine.approval.id, theirs.approval.id}
        assert await ids(principal(DORA)) == both
        assert await ids(principal(SELLER)) == {theirs.approval.id}
        assert await ids(principal(RIVAL)) == set()
        assert await ids(principal(DORA), states=[ApprovalState.APPROVED]) == set()
        assert await ids(principal(DORA), requester_id=RITA.id) == {mine.approval.id}
        assert both <= set(await approvals.open_with(session, [DORA.id]))
        assert both <= await approvals.open_ids(session)
