"""What is read back from the rows is what was recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient
from sqlalchemy import select
from sqlmodel import col

from db import opportunity, playbooks
from db.session import Database
from db.tables import OpportunityRow, TimelineRow
from domain.opportunity import commands as ask
from domain.opportunity.agenda import agenda
from domain.opportunity.draft import Outcome
from domain.opportunity.forecast import if_nobody_acts
from domain.opportunity.rules import decide, open_deal
from domain.opportunity.state import Opportunity
from domain.playbook import Exit, Playbook, PlaybookDefinition
from domain.principal import Principal, Role, Side
from runtime.ids import new_id
from tests.bargains import a_bargain, money
from tests.factories import ASTER, BOREALIS, NOW, REP, SELLER, a_playbook, opening
from tests.stack import ClientFor, People
from tests.triggers import nothing_holds


async def test_tasks_come_back_in_the_order_in_which_they_opened(
    as_: ClientFor, people: People, playbook: Playbook, worker: None
) -> None:
    rep: AsyncClient = await as_("rep@vendor.example")
    body = {
        "title": "In order",
        "customer": {"name": f"Customer {uuid4()}"},
        "playbook": playbook.key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    deal = (await rep.post("/api/v1/opportunities", json=body)).json()
    for title in ("A task with a title that is long", "B", "A"):
        task = {"title": title, "side": "vendor"}
        await rep.post(f"/api/v1/opportunities/{deal['id']}/tasks", json=task)
    tasks = (await rep.get(f"/api/v1/opportunities/{deal['id']}/tasks")).json()["items"]
    templates = [task.key for task in playbook.stages[0].tasks]
    found = [task["key"] for task in tasks]
    assert [key for key in found if key in templates] == [key for key in templates if key in found]
    assert [task["title"] for task in tasks][-3:] == ["A task with a title that is long", "B", "A"]


def after(deal: Opportunity, minutes: int, *commands: ask.Command) -> Outcome:
    """What these commands lead to, in one step so many minutes after the deal was opened."""
    entries: list[Any] = []
    for command in commands:
        request = ask.Request(command=command, by=REP)
        outcome = decide(deal, request, NOW + timedelta(minutes=minutes))
        deal, entries = outcome.opportunity, [*entries, *outcome.entries]
    return Outcome(opportunity=deal, entries=tuple(entries))


async def recorded(database: Database, deal: Opportunity) -> tuple[int, list[str]]:
    """The version that the rows show, and the texts of the notes on the timeline."""
    async with database.read() as session:
        version = await session.execute(
            select(col(OpportunityRow.version)).where(col(OpportunityRow.id) == deal.id)
        )
        words = await session.execute(
            select(col(TimelineRow.data))
            .where(col(TimelineRow.stream_id) == deal.id, col(TimelineRow.type) == "note_added")
            .order_by(col(TimelineRow.sequence))
        )
        return version.scalar_one(), [data["text"] for data in words.scalars()]


async def an_opened_deal(database: Database, playbook: Playbook) -> Opportunity:
    outcome = open_deal(opening(id=new_id(), playbook=playbook), NOW, REP)
    async with database.transaction() as session:
        await opportunity.record(session, outcome)
    return outcome.opportunity


async def test_a_step_that_was_recorded_and_then_decided_anew_is_as_it_was_decided_last(
    database: Database, playbook: Playbook
) -> None:
    deal = await an_opened_deal(database, playbook)
    abandoned = after(deal, 1, ask.AddNote(text="A"), ask.AddNote(text="B"))
    anew = after(deal, 2, ask.AddNote(text="C"))
    following = after(anew.opportunity, 3, ask.AddNote(text="A"))
    for step in (abandoned, anew, following, following):
        async with database.transaction() as session:
            await opportunity.record(session, step)
    assert await recorded(database, deal) == (following.opportunity.version, ["C", "A"])


async def test_a_step_that_comes_late_changes_nothing(database: Database, playbook: Playbook) -> None:
    deal = await an_opened_deal(database, playbook)
    late = after(deal, 1, ask.AddNote(text="Late"))
    anew = after(deal, 2, ask.AddNote(text="A"), ask.AddNote(text="B"))
    for step in (anew, late):
        async with database.transaction() as session:
            await opportunity.record(session, step)
    assert await recorded(database, deal) == (anew.opportunity.version, ["A", "B"])


async def test_a_rebuilt_timeline_says_what_the_workflow_says(database: Database, playbook: Playbook) -> None:
    deal = await an_opened_deal(database, playbook)
    true = after(deal, 1, ask.AddNote(text="True"))
    async with database.transaction() as session:
        await opportunity.record(session, after(deal, 2, ask.AddNote(text="Abandoned")))
        await opportunity.restore(session, true)
    assert await recorded(database, deal) == (true.opportunity.version, ["True"])


def partner(organisation_id: UUID) -> Principal:
    return Principal(
        id=new_id(),
        name="Sam Seller",
        email="sam@partner.example",
        side=Side.PARTNER,
        organisation_id=organisation_id,
        organisation="A partner",
        roles=frozenset({Role.PARTNER_SELLER}),
    )


async def test_other_partners_do_not_read_how_much_one_of_them_gives(
    database: Database, playbook: Playbook
) -> None:
    """Neither in lists, nor on the deal, nor in its story: only that the discount is not settled."""
    last = playbook.stages[-1].model_copy(update={"tasks": (), "exit": Exit()})
    book = playbook.model_copy(update={"stages": (last,)})
    deal = a_bargain(id=new_id(), partners=(ASTER, BOREALIS), playbook=book)
    deal.granted("20", by=SELLER)
    deal.change(amount=money("100000.00"))
    assert deal.outside
    deal.deal.policy = None  # none is published here
    checked = next(entry.event for entry in deal.entries if entry.event.type == "discount_checked")
    assert checked.only_for == ASTER.id
    async with database.transaction() as session:
        await opportunity.record(session, Outcome(opportunity=deal.deal, entries=tuple(deal.entries)))
    async with database.read() as session:
        own = await opportunity.get(session, partner(ASTER.id), deal.deal.id)
        other = await opportunity.get(session, partner(BOREALIS.id), deal.deal.id)
        waits_for = select(col(OpportunityRow.waits_for)).where(col(OpportunityRow.id) == deal.deal.id)
        listed = (await session.execute(waits_for)).scalar_one()
    assert listed == "What is given off is not covered by what was granted"
    assert own.discount_outside == deal.deal.discount_outside
    assert other.discounts == ()
    assert other.discount_outside is not None
    assert other.discount_outside.reasons == (
        "what a partner of this deal gives is more than it was granted",
    )


async def test_when_a_grant_ends_is_told_to_who_gives_it_and_to_no_other_partner(database: Database) -> None:
    """Neither what has fallen due nor what will: agenda and forecast are of the deal as it is read."""
    book = a_playbook(key="grants-near", clock={"grant_near": "1w"})
    definition = PlaybookDefinition.model_validate(book.model_dump(exclude={"version"}))
    async with database.transaction() as session:
        await playbooks.publish(session, definition, by=None, now=NOW)
    deal = a_bargain(id=new_id(), partners=(ASTER, BOREALIS), playbook=book)
    deal.granted("20", by=SELLER)
    ahead = deal.deal.copy_to_change()
    deal.later(days=84)
    told = [entry for entry in deal.entries if "The grant of 20 %" in entry.words]
    assert [entry.event.only_for for entry in told] == [ASTER.id]
    ahead.policy = None  # none is published here
    async with database.transaction() as session:
        await opportunity.record(session, Outcome(opportunity=ahead, entries=tuple(deal.entries)))
    async with database.read() as session:
        own = await opportunity.get(session, partner(ASTER.id), ahead.id)
        other = await opportunity.get(session, partner(BOREALIS.id), ahead.id)
    for read, percent in ((own, True), (other, False)):
        said = [item.what for item in agenda(read)]
        said += [each.words for each in if_nobody_acts(read, NOW, NOW + timedelta(days=90), nothing_holds)]
        assert any("20 %" in words for words in said) is percent
