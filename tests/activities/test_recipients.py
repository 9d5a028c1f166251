"""Whom a message is for, said by what they are; and by which ways it goes to each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from activities.notify import NotifyActivities
from db import deliveries, notices
from db import notification_preferences as preferences
from db.pages import PageRequest
from db.session import Database
from db.tables import User
from domain.notice import CalendarEvent, Message, NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import Timing
from domain.playbook import Playbook
from domain.principal import Role
from runtime.ids import new_id
from tests.calendars import Diary
from tests.couriers import takes_part
from tests.stack import ClientFor, People, Person


async def recipients(database: Database, **named: object) -> set[UUID]:
    message = Message.model_validate(
        {"kind": "information", "cause": str(uuid4()), "title": "ERP rollout", "words": "It moves.", **named}
    )
    async with database.read() as session:
        return set(await notices.recipients(session, message))


async def lead(database: Database, person: Person, manager: Person) -> None:
    async with database.transaction() as session:
        of = col(User.id) == person.id
        await session.execute(update(User).where(of).values(manager_id=manager.id))


async def deactivate(database: Database, person: Person) -> None:
    async with database.transaction() as session:
        await session.execute(update(User).where(col(User.id) == person.id).values(active=False))


async def a_person(people: People, role: Role, organisation: str = "vendor") -> Person:
    return await people.add(f"{uuid4().hex}@{organisation}.example", role)


async def test_the_managers_of_people_are_told(database: Database, people: People):
    rep, other, boss = [await a_person(people, Role.SALES_REP) for _ in range(3)]
    await lead(database, rep, boss)
    await lead(database, other, boss)
    assert await recipients(database, managers_of=[rep.id, other.id]) == {boss.id}
    assert await recipients(database, recipients=[rep.id], managers_of=[rep.id]) == {rep.id, boss.id}


async def test_the_sales_directors_stand_in_for_a_manager_who_is_not_there(
    database: Database, people: People
):
    rep, boss, director = [
        await a_person(people, role) for role in (Role.SALES_REP, Role.SALES_REP, Role.SALES_DIRECTOR)
    ]
    await lead(database, rep, boss)
    assert director.id in await recipients(database, managers_of=[boss.id])
    assert director.id not in await recipients(database, managers_of=[director.id])
    assert await recipients(database, managers_of=[rep.id]) == {boss.id}
    await deactivate(database, boss)
    told = await recipients(database, managers_of=[rep.id])
    assert director.id in told
    assert not told & {rep.id, boss.id}


@pytest.mark.usefixtures("worker")
async def test_what_would_reach_nobody_goes_to_the_deals_owner_and_then_to_the_sales_directors(
    as_: ClientFor, database: Database, people: People, playbook: Playbook
):
    diary = Diary(as_, people, playbook)
    owner, director = await diary.rep(), await a_person(people, Role.SALES_DIRECTOR)
    gone = await a_person(people, Role.SALES_REP)
    deal = UUID((await diary.open(owner, "Nobody is left"))["id"])
    await deactivate(database, gone)
    assert await recipients(database, recipients=[gone.id], opportunity_id=deal) == {owner.id}
    question = {"kind": "decision_wanted", "approval_id": new_id(), "step_key": "desk"}
    asked = await recipients(database, recipients=[gone.id], opportunity_id=deal, **question)
    assert asked == set(), "the owner is not asked to decide in somebody's place"
    assert await recipients(database, recipients=[gone.id]) == set()
    await deactivate(database, owner)
    assert director.id in await recipients(database, recipients=[gone.id], opportunity_id=deal)


async def test_everybody_of_a_partner_on_the_deal_is_told_and_nobody_of_another(
    database: Database, people: People
):
    aster = await a_person(people, Role.PARTNER_SELLER, "aster")
    borealis = await a_person(people, Role.PARTNER_SELLER, "borealis")
    deal = new_id()
    partners = [aster.organisation_id, borealis.organisation_id]
    async with database.transaction() as session:
        session.add(takes_part(deal, aster.organisation_id))
    told = await recipients(database, partners=partners, opportunity_id=deal)
    assert aster.id in told
    assert borealis.id not in told
    assert {aster.id, borealis.id} <= await recipients(database, partners=partners)


async def test_the_vendors_people_with_a_role_are_told_and_no_partners(database: Database, people: People):
    success, rep = await a_person(people, Role.CUSTOMER_SUCCESS), await a_person(people, Role.SALES_REP)
    seller = await a_person(people, Role.PARTNER_SELLER, "aster")
    told = await recipients(database, roles=[Role.CUSTOMER_SUCCESS, Role.PARTNER_SELLER])
    assert success.id in told
    assert not told & {rep.id, seller.id}
    await deactivate(database, success)
    assert success.id not in await recipients(database, roles=[Role.CUSTOMER_SUCCESS])
    assert await recipients(database) == set()


@pytest.fixture
async def rep(people: People) -> Person:
    return await a_person(people, Role.SALES_REP)


async def prefer(database: Database, person: Person, kind: NoticeKind, **modes: Mode) -> None:
    async with database.transaction() as session:
        row, wanted = await preferences.get(session, person.id, for_change=True)
        chosen = wanted.preferences
        for channel, mode in modes.items():
            chosen = chosen.chosen(kind, Channel(channel), mode)
        await preferences.change(session, row, chosen, datetime.now(UTC), chat_address="slack://secret")


async def tell(database: Database, person: Person, woken: list[UUID], **more: object) -> Message:
    said = {"kind": "approved", "cause": str(uuid4()), "title": "T", "words": "W", "recipients": [person.id]}
    message = Message.model_validate(said | more)

    async def wake(user_id: UUID) -> None:
        woken.append(user_id)

    await NotifyActivities(database, mails=True, wake=wake).notify(message)
    return message


async def test_a_notice_goes_by_the_ways_that_its_recipient_wants(database: Database, rep: Person):
    woken: list[UUID] = []
    await prefer(database, rep, NoticeKind.APPROVED, chat=Mode.AT_ONCE, mail=Mode.DAILY)
    await tell(database, rep, woken)
    async with database.read() as session:
        found = {each.channel: each for each in await deliveries.waiting(session, rep.id)}
    assert found[Channel.CHAT].timing is Timing.AT_ONCE
    assert found[Channel.MAIL].timing is Timing.TOGETHER
    assert found[Channel.MAIL].due_at > datetime.now(UTC)
    assert woken == [rep.id]


async def test_who_wants_nothing_of_a_kind_is_told_nothing_and_woken_for_nothing(
    database: Database, rep: Person
):
    woken: list[UUID] = []
    await prefer(database, rep, NoticeKind.APPROVED, in_app=Mode.OFF, chat=Mode.OFF, mail=Mode.OFF)
    message = await tell(database, rep, woken)
    async with database.read() as session:
        listed = (await notices.page(session, rep.principal, PageRequest())).items
        assert (listed, await notices.unread_count(session, rep.principal)) == ([], 0)
    assert woken == []
    await prefer(database, rep, NoticeKind.APPROVED, in_app=Mode.AT_ONCE, mail=Mode.AT_ONCE)
    await NotifyActivities(database, mails=True).notify(message)  # the cause is an old one
    async with database.read() as session:
        assert await deliveries.waiting(session, rep.id) == []


async def test_who_could_not_be_woken_is_woken_when_the_message_is_repeated(database: Database, rep: Person):
    woken: list[UUID] = []
    message = await tell(database, rep, woken)
    await tell(database, rep, woken, cause=message.cause)
    assert woken == [rep.id, rep.id]
    async with database.read() as session:
        assert len(await deliveries.waiting(session, rep.id)) == 1


async def test_an_event_is_kept_for_the_calendar(database: Database, rep: Person):
    event = CalendarEvent(uid="check-in-7", title="Check-in", starts_at=datetime(2027, 3, 1, 9, tzinfo=UTC))
    await tell(database, rep, [], event=event.model_dump())
    async with database.read() as session:
        (notice,) = (await notices.page(session, rep.principal, PageRequest())).items
    assert CalendarEvent.model_validate(notice.event) == event
