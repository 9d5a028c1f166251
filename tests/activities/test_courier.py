"""What people are told: once each, to those who may know, and sent until it is there or given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update
from sqlmodel import col
from temporalio.exceptions import ApplicationError

from activities.courier import CourierActivities
from activities.notify import NotifyActivities
from db import deliveries, notices
from db.pages import PageRequest
from db.session import Database
from db.tables import ApprovalSeatRow, MailLink, Notice, NoticeDelivery, OpportunityPartnerRow, User
from domain.errors import Conflict
from domain.notice import DeliveryState, Fact, Message, NoticeKind
from domain.notification.kinds import Channel
from domain.principal import Role, Side
from runtime.ids import new_id
from runtime.mail import Mailer
from tests.couriers import SENDER, a_courier, go_round, takes_part
from tests.smtp import PostOffice, post_office, text_of
from tests.stack import People, Person


@pytest.fixture
async def post() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
async def desk(people: People) -> Person:
    """Somebody of the deal desk whom no other test writes to."""
    return await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK)


@pytest.fixture
async def seller(people: People) -> Person:
    return await people.add(f"{uuid4().hex}@aster.example", Role.PARTNER_SELLER)


@pytest.fixture
def courier(database: Database, post: PostOffice, tmp_path: Path) -> CourierActivities:
    return a_courier(database, post, tmp_path)


def message(*recipients: Person, **more: Any) -> Message:
    said: dict[str, Any] = {
        "kind": NoticeKind.INFORMATION,
        "cause": f"test:{uuid4()}",
        "title": "27.5 % on ERP rollout",
        "words": "Rosa Rep asks for 27.5 % for “ERP rollout”.",
    }
    return Message(**{**said, "recipients": tuple(each.id for each in recipients), **more})


async def tell(database: Database, said: Message, *, mails: bool = True) -> None:
    await NotifyActivities(database, mails=mails).notify(said)


async def told(database: Database, person: Person) -> list[Notice]:
    async with database.read() as session:
        return (await notices.page(session, person.principal, PageRequest())).items


async def mail_of(database: Database, person: Person) -> NoticeDelivery:
    """How the one mail of somebody stands."""
    async with database.read() as session:
        mine = (col(NoticeDelivery.user_id) == person.id, col(NoticeDelivery.channel) == Channel.MAIL)
        return (await session.execute(select(NoticeDelivery).where(*mine))).scalar_one()


async def test_each_recipient_is_told_once_for_each_cause(database: Database, desk: Person, seller: Person):
    said = message(desk, seller, facts=(Fact(name="Standard", value="15 %"),))
    for _ in range(3):
        await tell(database, said)
    for person in (desk, seller):
        (notice,) = await told(database, person)
        assert (notice.title, notice.words) == (said.title, said.words)
        assert notice.facts == [{"name": "Standard", "value": "15 %"}]
    await tell(database, said.model_copy(update={"cause": "another"}))
    assert len(await told(database, desk)) == 2


async def test_who_has_left_and_who_may_not_see_the_deal_is_not_told(
    database: Database, desk: Person, seller: Person, people: People
):
    gone = await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK)
    await leave(database, gone)
    nobody = uuid4()
    said = message(desk, seller, gone, opportunity_id=new_id())
    await tell(database, said.model_copy(update={"recipients": (*said.recipients, nobody)}))
    assert len(await told(database, desk)) == 1
    assert await told(database, seller) == await told(database, gone) == []


async def leave(database: Database, person: Person) -> None:
    async with database.transaction() as session:
        await session.execute(update(User).where(col(User.id) == person.id).values(active=False))


async def take_part(database: Database, deal: UUID, person: Person) -> None:
    async with database.transaction() as session:
        session.add(takes_part(deal, person.organisation_id))


async def leave_deal(database: Database, deal: UUID) -> None:
    async with database.transaction() as session:
        of_deal = col(OpportunityPartnerRow.opportunity_id) == deal
        await session.execute(delete(OpportunityPartnerRow).where(of_deal))


async def test_a_partner_that_leaves_a_deal_no_longer_sees_what_it_was_told_of_it(
    database: Database, seller: Person
):
    deal = new_id()
    await take_part(database, deal, seller)
    await tell(database, message(seller, opportunity_id=deal))
    assert len(await told(database, seller)) == 1
    await leave_deal(database, deal)
    assert await told(database, seller) == []


async def test_words_that_cannot_be_stored_are_refused_for_good(database: Database, desk: Person):
    with pytest.raises(ApplicationError) as refused:
        await tell(database, message(desk, words="a\0b"))
    assert refused.value.non_retryable


async def test_without_a_mail_server_a_notice_is_all_there_is(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    await tell(database, message(desk), mails=False)
    await go_round(courier, desk.id)
    assert len(await told(database, desk)) == 1
    async with database.read() as session:
        assert await deliveries.expecting(session, [desk.id]) == []
    assert not post.to(desk.email)


async def test_a_mail_says_what_happened_and_belongs_to_its_deal(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    deal = new_id()
    async with database.transaction() as session:
        zone = update(User).where(col(User.id) == desk.id).values(time_zone="Europe/Berlin")
        await session.execute(zone)
    due = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
    facts = (Fact(name="Standard", value="<15 %>"),)
    kind = NoticeKind.APPROVED
    for cause in ("one", "two"):
        said = message(desk, cause=f"{deal}:{cause}", kind=kind, due_at=due, facts=facts)
        await tell(database, said.model_copy(update={"recipients": (desk.id,)}))
    await go_round(courier, desk.id)
    first, second = post.to(desk.email)
    assert first["Subject"] == "Approved: 27.5 % on ERP rollout"
    text, html = text_of(first), text_of(first, "html")
    assert "Rosa Rep asks for 27.5 % for “ERP rollout”." in text
    assert "Standard: <15 %>" in text
    assert "&lt;15 %&gt;" in html
    assert "Due: Mon, Mar 1, 2027, 10:00 (Europe/Berlin)" in text
    assert "/decide/" not in text + html
    assert first["Message-ID"] != second["Message-ID"]
    (notice, _) = await told(database, desk)
    async with database.read() as session:
        sent = (await deliveries.of_notices(session, [notice.id]))[notice.id][Channel.MAIL]
    assert sent.state == DeliveryState.SENT
    assert sent.sent_at is not None


async def test_a_mail_that_asks_carries_a_link_of_its_own(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    approval = new_id()
    asked = message(
        desk, kind=NoticeKind.DECISION_WANTED, approval_id=approval, step_key="deal-desk", round=0
    )
    await ask(database, desk, approval)
    await tell(database, asked)
    await go_round(courier, desk.id)
    (mail,) = post.to(desk.email)
    assert mail["Subject"] == "Please decide: 27.5 % on ERP rollout"
    address = next(line for line in text_of(mail).splitlines() if "/decide/" in line)
    assert address in text_of(mail, "html")
    assert f"https://tandem.example/approvals/{approval}" in text_of(mail)
    found = courier.letters.links.read(address.rpartition("/")[2])
    assert found is not None
    async with database.read() as session:
        link = (await session.execute(select(MailLink).where(col(MailLink.id) == found[0]))).scalar_one()
    assert (link.user_id, link.approval_id, link.step_key, link.round) == (desk.id, approval, "deal-desk", 0)
    assert link.used_at is None


async def ask(database: Database, person: Person, approval: UUID) -> None:
    """Give somebody the deal desk's seat."""
    seat = ApprovalSeatRow(
        approval_id=approval,
        step_key="deal-desk",
        step="Deal desk",
        user_id=person.id,
        side=Side.VENDOR,
        since=datetime.now(UTC),
    )
    async with database.transaction() as session:
        session.add(seat)


async def test_who_is_not_asked_any_more_gets_no_mail_that_asks(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    said = message(desk, kind=NoticeKind.DECISION_REMINDER, approval_id=new_id(), step_key="deal-desk")
    await tell(database, said)
    await go_round(courier, desk.id)
    assert not post.to(desk.email)
    assert (await mail_of(database, desk)).state == DeliveryState.DROPPED


async def test_when_a_mail_is_to_be_sent_its_recipient_is_looked_at_anew(
    database: Database, desk: Person, seller: Person, courier: CourierActivities, post: PostOffice
):
    deal = new_id()
    await take_part(database, deal, seller)
    await tell(database, message(desk))
    await tell(database, message(seller, opportunity_id=deal))
    await leave(database, desk)
    await leave_deal(database, deal)
    for person in (desk, seller):
        await go_round(courier, person.id)
        assert not post.to(person.email)
        assert (await mail_of(database, person)).state == DeliveryState.DROPPED


async def test_what_a_server_puts_off_waits_and_says_why(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    await tell(database, message(desk))
    post.answer = "451 4.3.0 Try again later"
    for attempt in (1, 2):
        (error,) = await go_round(courier, desk.id)
        assert not error.non_retryable
        mail = await mail_of(database, desk)
        assert (mail.state, mail.attempts) == (DeliveryState.WAITING, attempt)
        assert "451 4.3.0 Try again later" in (mail.error or "")
    post.answer = "250 OK"
    assert not await go_round(courier, desk.id)
    mail = await mail_of(database, desk)
    assert (mail.state, mail.attempts, mail.error) == (DeliveryState.SENT, 3, None)
    await go_round(courier, desk.id, datetime.now(UTC) + timedelta(days=30))
    assert len(post.to(desk.email)) == 1


async def test_what_a_server_refuses_for_good_is_listed_at_once_and_sent_again_on_demand(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    await tell(database, message(desk))
    post.answer = "550 5.1.1 No such user"
    await go_round(courier, desk.id)
    async with database.read() as session:
        listed = await deliveries.failed(session, PageRequest(limit=200))
    (notice,) = [each for each, user in listed.items if user.id == desk.id]
    assert "550" in ((await mail_of(database, desk)).error or "")
    post.answer = "250 OK"
    async with database.transaction() as session:
        await deliveries.send_again(session, notice.id)
    await go_round(courier, desk.id)
    assert len(post.to(desk.email)) == 1
    sent = await mail_of(database, desk)
    assert (sent.state, sent.error) == (DeliveryState.SENT, None)
    with pytest.raises(Conflict, match="could not be sent"):
        async with database.transaction() as session:
            await deliveries.send_again(session, notice.id)


async def test_a_server_that_hangs_holds_nobody_up(
    database: Database, desk: Person, courier: CourierActivities, post: PostOffice
):
    post.hangs = True
    began = asyncio.get_running_loop().time()
    await tell(database, message(desk))
    assert asyncio.get_running_loop().time() - began < 5
    await go_round(replace(courier, mailer=Mailer(post.server, SENDER, timeout=0.3)), desk.id)
    mail = await mail_of(database, desk)
    assert mail.state == DeliveryState.WAITING
    assert "did not answer in time" in (mail.error or "")


async def test_old_notices_are_forgotten_but_not_what_could_not_be_mailed(database: Database, desk: Person):
    for _ in range(2):
        await tell(database, message(desk))
    old = datetime.now(UTC) - notices.KEPT - timedelta(days=1)
    one, two = await told(database, desk)
    async with database.transaction() as session:
        await session.execute(update(Notice).where(col(Notice.user_id) == desk.id).values(created_at=old))
        for notice, state in ((one, DeliveryState.SENT), (two, DeliveryState.FAILED)):
            of_notice = update(NoticeDelivery).where(col(NoticeDelivery.notice_id) == notice.id)
            await session.execute(of_notice.values(state=state))
        await notices.purge(session, datetime.now(UTC))
    assert [notice.id for notice in await told(database, desk)] == [two.id]
    assert one.id != two.id
