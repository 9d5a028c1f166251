"""What `tandem doctor` says of mail."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlmodel import col

from activities.notify import NotifyActivities
from db.session import Database
from db.tables import Notice, NoticeDelivery
from domain.notice import DeliveryState, Message, NoticeKind
from ops.finding import Finding
from ops.health_mail import look_at_mail
from runtime.settings import Settings
from tests.smtp import post_office
from tests.stack import People


async def looked(settings: Settings, database: Database, url: str | None) -> dict[str, Finding]:
    sender = "Tandem <tandem@vendor.example>" if url else None
    mailing = settings.model_copy(update={"smtp_url": url, "mail_from": sender})
    return {finding.what: finding async for finding in look_at_mail(mailing, database)}


async def test_without_a_mail_server_there_is_nothing_to_say(settings: Settings, database: Database):
    assert await looked(settings, database, None) == {}


async def test_a_server_that_answers_is_well_and_one_that_does_not_is_not(
    settings: Settings, database: Database
):
    async with post_office() as post:
        url = f"smtp://127.0.0.1:{post.server.port}"
        found = await looked(settings, database, url)
        assert found["mail"].ok
        assert not post.mails
    away = (await looked(settings, database, url))["mail"]
    assert not away.ok
    assert "cannot be reached" in away.detail


async def test_mails_that_could_not_be_sent_are_counted(
    settings: Settings, database: Database, people: People
):
    desk = await people.of("desk@vendor.example")
    message = Message(
        kind=NoticeKind.INFORMATION, cause=str(uuid4()), recipients=(desk.id,), title="T", words="W"
    )
    await NotifyActivities(database, mails=True).notify(message)
    mine = col(Notice.cause) == message.cause
    async with database.transaction() as session:
        of_mine = col(NoticeDelivery.notice_id).in_(select(col(Notice.id)).where(mine))
        await session.execute(update(NoticeDelivery).where(of_mine).values(state=DeliveryState.FAILED))
    async with post_office() as post:
        found = await looked(settings, database, f"smtp://127.0.0.1:{post.server.port}")
    assert not found["notices"].ok
    assert "could not be sent" in found["notices"].detail
    async with database.transaction() as session:
        await session.execute(delete(Notice).where(mine))
