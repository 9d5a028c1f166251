"""What people are told: once each, to those who may know, and mailed until it is there or given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import delete, insert, make_url, select, update
from sqlmodel import col
from temporalio.exceptions import ApplicationError

from activities.notify import NotifyActivities
from activities.postman import LEASE, PATIENCE, Postman, mailing
from db import notices
from db.pages import PageRequest
from db.session import Database, psycopg_url
from db.tables import ApprovalSeatRow, MailLink, Notice, OpportunityPartnerRow, User
from domain.errors import Conflict
from domain.notice import Fact, MailState, Message, NoticeKind
from domain.principal import Role, Side
from runtime.ids import new_id
from runtime.links import Links
from runtime.mail import Mailer
from runtime.settings import Settings
from tests.smtp import PostOffice, post_office, text_of
from tests.stack import People, Person

SENDER = "Tandem <tandem@vendor.example>"


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
def postman(database: Database, post: PostOffice, tmp_path: Path) -> Postman:
    links = Links(Settings(home=tmp_path, public_url="https://tandem.example"))
    return Postman(database, Mailer(post.server, SENDER), links)


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


async def deliver(postman: Postman, *, later: timedelta = timedelta()) -> int:
    """Send what waits at some later instant. Other tests' mails may be among it."""
    return await postman.deliver(datetime.now(UTC) + later)


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
    row = {"opportunity_id": deal, "partner_id": person.organisation_id, "name": "Aster", "role": "reseller"}
    async with database.transaction() as session:
        await session.execute(insert(OpportunityPartnerRow).values(**row))


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
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    await tell(database, message(desk), mails=False)
    await deliver(postman)
    (notice,) = await told(database, desk)
    assert notice.mail_state == MailState.NONE
    assert not post.to(desk.email)


async def test_a_mail_says_what_happened_and_belongs_to_its_deal(
    database: Database, desk: Person, postman: Postman, post: PostOffice
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
    await deliver(postman)
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
    assert notice.mail_state == MailState.SENT
    assert notice.mailed_at is not None


async def test_a_mail_that_asks_carries_a_link_of_its_own(
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    approval = new_id()
    asked = message(
        desk, kind=NoticeKind.DECISION_WANTED, approval_id=approval, step_key="deal-desk", round=0
    )
    await ask(database, desk, approval)
    await tell(database, asked)
    await deliver(postman)
    (mail,) = post.to(desk.email)
    assert mail["Subject"] == "Please decide: 27.5 % on ERP rollout"
    address = next(line for line in text_of(mail).splitlines() if "/decide/" in line)
    assert address in text_of(mail, "html")
    assert f"https://tandem.example/approvals/{approval}" in text_of(mail)
    found = postman.links.read(address.rpartition("/")[2])
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
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    said = message(desk, kind=NoticeKind.DECISION_REMINDER, approval_id=new_id(), step_key="deal-desk")
    await tell(database, said)
    await deliver(postman)
    assert not post.to(desk.email)
    (notice,) = await told(database, desk)
    assert notice.mail_state == MailState.DROPPED


async def test_when_a_mail_is_to_be_sent_its_recipient_is_looked_at_anew(
    database: Database, desk: Person, seller: Person, postman: Postman, post: PostOffice
):
    deal = new_id()
    await take_part(database, deal, seller)
    await tell(database, message(desk))
    await tell(database, message(seller, opportunity_id=deal))
    await leave(database, desk)
    await leave_deal(database, deal)
    await deliver(postman)
    assert not post.to(desk.email)
    assert not post.to(seller.email)
    async with database.read() as session:
        mine = select(col(Notice.mail_state)).where(col(Notice.user_id).in_((desk.id, seller.id)))
        assert set((await session.execute(mine)).scalars()) == {MailState.DROPPED}


async def test_what_a_server_puts_off_is_tried_again_and_then_listed(
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    await tell(database, message(desk))
    post.answer = "451 4.3.0 Try again later"
    passed = timedelta()
    for wait in (*PATIENCE, timedelta()):
        await deliver(postman, later=passed)
        passed += wait
        (notice,) = await told(database, desk)
        if wait:
            assert notice.mail_state == MailState.WAITING
            assert notice.mail_next_at is not None
    assert notice.mail_state == MailState.FAILED
    assert "451 4.3.0 Try again later" in (notice.mail_error or "")
    tried = post.tries
    await deliver(postman, later=timedelta(days=30))
    assert post.tries == tried


async def test_what_a_server_refuses_for_good_is_listed_at_once_and_sent_again_on_demand(
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    await tell(database, message(desk))
    post.answer = "550 5.1.1 No such user"
    await deliver(postman)
    async with database.read() as session:
        listed = await notices.failed(session, PageRequest(limit=200))
    (notice,) = [each for each, user in listed.items if user.id == desk.id]
    assert "550" in (notice.mail_error or "")
    post.answer = "250 OK"
    async with database.transaction() as session:
        await notices.send_again(session, notice.id, datetime.now(UTC))
    await deliver(postman)
    assert len(post.to(desk.email)) == 1
    (sent,) = await told(database, desk)
    assert (sent.mail_state, sent.mail_error) == (MailState.SENT, None)
    with pytest.raises(Conflict, match="could not be sent"):
        async with database.transaction() as session:
            await notices.send_again(session, notice.id, datetime.now(UTC))


async def test_a_server_that_hangs_holds_nobody_up(
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    post.hangs = True
    began = asyncio.get_running_loop().time()
    await tell(database, message(desk))
    assert asyncio.get_running_loop().time() - began < 5
    await deliver(replace(postman, mailer=Mailer(post.server, SENDER, timeout=0.3)))
    (notice,) = await told(database, desk)
    assert notice.mail_state == MailState.WAITING
    assert "did not answer in time" in (notice.mail_error or "")


async def test_what_a_worker_died_over_another_sends(
    database: Database, desk: Person, postman: Postman, post: PostOffice
):
    await tell(database, message(desk))
    now = datetime.now(UTC)
    async with database.transaction() as session:
        taken = await notices.claim(session, now, LEASE, 200)
    assert desk.id in {notice.user_id for notice in taken}
    await deliver(postman)
    assert not post.to(desk.email)
    await deliver(postman, later=LEASE + timedelta(seconds=1))
    assert len(post.to(desk.email)) == 1


async def test_two_workers_never_take_the_same_mail(
    database: Database, people: People, postman: Postman, post: PostOffice
):
    crowd = [await people.add(f"{uuid4().hex}@vendor.example", Role.FINANCE) for _ in range(15)]
    await tell(database, message(*crowd))
    while sum(await asyncio.gather(*(deliver(postman) for _ in range(4)))):
        pass
    assert [len(post.to(person.email)) for person in crowd] == [1] * 15


async def test_a_worker_mails_by_itself(database: Database, desk: Person, settings: Settings):
    async with post_office() as post:
        url = f"smtp://127.0.0.1:{post.server.port}"
        mailed = settings.model_copy(update={"smtp_url": url, "mail_from": SENDER})
        await tell(database, message(desk))
        async with mailing(mailed, database), asyncio.timeout(10):
            while not post.to(desk.email):
                post.came.clear()
                await post.came.wait()


async def test_a_worker_waits_for_the_database_to_be_migrated(
    settings: Settings, postman: Postman, post: PostOffice
):
    assert settings.database_url is not None
    empty = make_url(psycopg_url(settings.database_url)).set(database="postgres")
    database = Database(empty.render_as_string(hide_password=False).replace("+psycopg", ""))
    mailed = settings.model_copy(
        update={"smtp_url": f"smtp://127.0.0.1:{post.server.port}", "mail_from": SENDER}
    )
    with structlog.testing.capture_logs() as logged:
        async with mailing(mailed, database), asyncio.timeout(10):
            while True:  # it says so as soon as it has looked
                if logged:
                    break
                await asyncio.sleep(0.02)
    await database.close()
    assert logged[0] == {"event": "mail.put_off", "why": "ProgrammingError", "log_level": "warning"}


async def test_old_notices_are_forgotten_but_not_what_could_not_be_mailed(database: Database, desk: Person):
    for _ in range(2):
        await tell(database, message(desk), mails=False)
    old = datetime.now(UTC) - notices.KEPT - timedelta(days=1)
    one, two = await told(database, desk)
    async with database.transaction() as session:
        await session.execute(update(Notice).where(col(Notice.user_id) == desk.id).values(created_at=old))
        failed = update(Notice).where(col(Notice.id) == two.id).values(mail_state=MailState.FAILED)
        await session.execute(failed)
        await notices.purge(session, datetime.now(UTC))
    assert [notice.id for notice in await told(database, desk)] == [two.id]
    assert one.id != two.id
