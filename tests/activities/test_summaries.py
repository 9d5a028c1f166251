"""What goes out: several notices in one mail by deal, a file for the calendar, chats, and the ways out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI, Request, Response
from icalendar import Calendar
from sqlalchemy import select
from sqlmodel import col

from activities.courier import CourierActivities
from activities.letters import MOST_EVENTS
from activities.notify import NotifyActivities
from db import notification_preferences as preferences
from db.session import Database
from db.tables import NoticeDelivery
from domain.notice import CalendarEvent, DeliveryState, Message, NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.principal import Role
from runtime.chat import Chats
from tests.couriers import a_courier, go_round
from tests.smtp import PostOffice, post_office, text_of
from tests.stack import ClientFor, People, Person, serving

TOMORROW = timedelta(days=1)


@pytest.fixture
async def post() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
async def rep(people: People) -> Person:
    email = f"{uuid4().hex}@vendor.example"
    people.known[email] = await people.add(email, Role.SALES_REP)
    return people.known[email]


@pytest.fixture
def courier(database: Database, post: PostOffice, tmp_path: Path) -> CourierActivities:
    return a_courier(database, post, tmp_path)


async def tell(database: Database, person: Person, kind: NoticeKind, title: str, **more: Any) -> None:
    said = {"kind": kind, "cause": str(uuid4()), "title": title, "words": f"{title}!", **more}
    message = Message.model_validate({**said, "recipients": [person.id]})
    await NotifyActivities(database, mails=True).notify(message)


async def a_deal(as_: ClientFor, title: str, playbook: Any) -> UUID:
    rep = await as_("rep@vendor.example")
    body = {
        "title": title,
        "customer": {"name": "Acme"},
        "playbook": playbook.key,
        "amount": {"amount": "1000.00", "currency": "USD"},
        "expected_close": "2055-03-31",
    }
    answer = await rep.post("/api/v1/opportunities", json=body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def test_a_summary_lists_notices_by_deal(  # noqa: PLR0917 - fixtures
    database: Database,
    rep: Person,
    courier: CourierActivities,
    post: PostOffice,
    as_: ClientFor,
    worker: None,
    playbook: Any,
):
    one, two = [await a_deal(as_, title, playbook) for title in ("ERP <rollout>", "Vision inspection")]
    await tell(database, rep, NoticeKind.TASK_DUE, "Share the profile", opportunity_id=one)
    await tell(database, rep, NoticeKind.STALE, "Vision inspection", opportunity_id=two)
    due = datetime(2027, 3, 1, 9, tzinfo=UTC)
    await tell(database, rep, NoticeKind.TASK_DUE, "Agree on the rules", opportunity_id=one, due_at=due)
    await tell(database, rep, NoticeKind.FOLLOW_UP_DUE, "Ask Acme")
    await go_round(courier, rep.id, datetime.now(UTC) + TOMORROW)
    (mail,) = post.to(rep.email)
    assert mail["Subject"] == "4 notices"
    text, html = text_of(mail), text_of(mail, "html")
    places = [
        text.index(each)
        for each in (
            f"ERP <rollout> (https://tandem.example/opportunities/{one})",
            "- Share the profile: Share the profile!",
            "- Agree on the rules: Agree on the rules! Due Mon, Mar 1, 2027, 09:00 (UTC).",
            f"Vision inspection (https://tandem.example/opportunities/{two})",
            "Besides",
            "- Ask Acme: Ask Acme!",
        )
    ]
    assert places == sorted(places)
    assert "ERP &lt;rollout&gt;</a></h2>" in html
    assert "\n\n\n" not in text


async def test_one_that_is_due_alone_is_a_mail_of_its_own_also_in_a_summary(
    database: Database, rep: Person, courier: CourierActivities, post: PostOffice
):
    await tell(database, rep, NoticeKind.TASK_DUE, "Share the profile")
    await go_round(courier, rep.id)
    assert not post.to(rep.email)
    await go_round(courier, rep.id, datetime.now(UTC) + TOMORROW)
    assert [mail["Subject"] for mail in post.to(rep.email)] == ["Due: Share the profile"]


async def test_a_check_in_brings_a_file_for_the_calendar(
    database: Database, rep: Person, courier: CourierActivities, post: PostOffice
):
    starts = datetime(2027, 3, 1, 9, tzinfo=UTC)
    event = CalendarEvent(uid="check-in-7@tandem", sequence=2, title="Check-in with Aster", starts_at=starts)
    await tell(database, rep, NoticeKind.HANDOFF_OFFERED, "ERP rollout", event=event.model_dump())
    await go_round(courier, rep.id)
    (mail,) = post.to(rep.email)
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_filename() == "event.ics"
    payload = attached.get_payload(decode=True)
    assert isinstance(payload, bytes)
    (inside,) = Calendar.from_ical(payload).walk("VEVENT")
    assert (inside["uid"], inside["sequence"], inside["dtstart"].dt) == ("check-in-7@tandem", 2, starts)
    assert text_of(mail).startswith("Hello")


async def test_a_summary_brings_a_file_for_each_event_but_not_without_end(
    database: Database, rep: Person, courier: CourierActivities, post: PostOffice
):
    starts = datetime(2027, 3, 1, 9, tzinfo=UTC)
    await tell(database, rep, NoticeKind.TASK_DUE, "Share the profile")
    for number in range(MOST_EVENTS + 1):
        event = CalendarEvent(uid=f"check-in-{number}@tandem", title=f"Check-in {number}", starts_at=starts)
        await tell(database, rep, NoticeKind.TASK_DUE, f"Deal {number}", event=event.model_dump())
    await go_round(courier, rep.id, datetime.now(UTC) + TOMORROW)
    (mail,) = post.to(rep.email)
    attached = list(mail.iter_attachments())
    payloads = [each.get_payload(decode=True) for each in attached]
    inside = [
        event
        for each in payloads
        if isinstance(each, bytes)
        for event in Calendar.from_ical(each).walk("VEVENT")
    ]
    assert [event["uid"] for event in inside] == [f"check-in-{n}@tandem" for n in range(MOST_EVENTS)]
    assert [each.get_filename() for each in attached] == [f"event-{n + 1}.ics" for n in range(MOST_EVENTS)]


async def test_a_mail_carries_its_way_out(
    database: Database, rep: Person, courier: CourierActivities, post: PostOffice
):
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    await go_round(courier, rep.id)
    (mail,) = post.to(rep.email)
    address = str(mail["List-Unsubscribe"]).strip("<>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in text_of(mail)
    assert address in text_of(mail, "html")
    token = address.removeprefix("https://tandem.example/unsubscribe/")
    found = courier.letters.links.read_unsubscribe(token)
    assert found is not None
    assert (found.user_id, found.kinds) == (rep.id, (NoticeKind.APPROVED,))
    assert courier.letters.links.read(token) is None


@dataclass
class ChatService:
    """A chat on a socket of its own, which keeps what it is told, or answers something else."""

    address: str = ""
    status: int = 200
    said: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        if self.status == 200:
            self.said.append(await request.json())
        return Response(status_code=self.status)


@asynccontextmanager
async def a_chat() -> AsyncIterator[ChatService]:
    service = ChatService()
    app = FastAPI()
    app.add_api_route("/secret-room", service.take, methods=["POST"])
    async with serving(app) as url:
        service.address = url.replace("http", "json") + "/secret-room"
        yield service


@pytest.fixture
async def chat() -> AsyncIterator[ChatService]:
    async with a_chat() as service:
        yield service


async def give(database: Database, person: Person, address: str | None) -> None:
    async with database.transaction() as session:
        row, wanted = await preferences.get(session, person.id, for_change=True)
        chosen = wanted.preferences.chosen(NoticeKind.APPROVED, Channel.CHAT, Mode.AT_ONCE)
        await preferences.change(session, row, chosen, datetime.now(UTC), chat_address=address)


async def chat_of(database: Database, person: Person) -> NoticeDelivery:
    async with database.read() as session:
        mine = (col(NoticeDelivery.user_id) == person.id, col(NoticeDelivery.channel) == Channel.CHAT)
        return (await session.execute(select(NoticeDelivery).where(*mine))).scalar_one()


@pytest.fixture
def chatting(courier: CourierActivities) -> CourierActivities:
    """Where an administrator allows what only a test may."""
    return replace(courier, chats=Chats("json"))


async def test_what_is_wanted_in_a_chat_is_said_there(
    database: Database, rep: Person, chatting: CourierActivities, chat: ChatService
):
    await give(database, rep, chat.address)
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    assert not await go_round(chatting, rep.id)
    (said,) = chat.said
    assert said["title"] == "ERP rollout"
    assert "ERP rollout!\nhttps://tandem.example/notices" in said["message"]
    assert (await chat_of(database, rep)).state == DeliveryState.SENT


async def test_a_storm_is_one_message_in_a_chat_and_none_of_it_decides(
    database: Database, rep: Person, chatting: CourierActivities, chat: ChatService
):
    await give(database, rep, chat.address)
    for number in range(20):
        await tell(database, rep, NoticeKind.APPROVED, f"Deal {number}")
    await go_round(chatting, rep.id)
    (said,) = chat.said
    assert said["title"] == "20 notices"
    assert "… and 5 more" in said["message"]
    assert "/decide/" not in said["message"]


@pytest.mark.parametrize(("status", "temporary"), [(404, False), (403, False), (429, True), (503, True)])
async def test_a_chat_that_refuses_says_why_and_never_where_it_is(  # noqa: PLR0917 - fixtures
    database: Database,
    rep: Person,
    chatting: CourierActivities,
    chat: ChatService,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    status: int,
    temporary: bool,
):
    caplog.set_level(logging.DEBUG)
    chat.status = status
    await give(database, rep, chat.address)
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    (error,) = await go_round(chatting, rep.id)
    assert str(status) in error.message
    assert error.non_retryable is not temporary
    kept = await chat_of(database, rep)
    assert kept.state == (DeliveryState.WAITING if temporary else DeliveryState.FAILED)
    printed = capsys.readouterr()
    for said in (caplog.text, printed.out, printed.err, kept.error or "", error.message):
        assert "secret-room" not in said


async def test_a_chat_that_is_away_holds_up_no_mail(
    database: Database, rep: Person, chatting: CourierActivities, post: PostOffice
):
    async with a_chat() as gone:
        address = gone.address
    await give(database, rep, address)
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    (error,) = await go_round(chatting, rep.id)
    assert error.message == "JSON cannot be reached."
    assert not error.non_retryable
    assert len(post.to(rep.email)) == 1


async def test_a_chat_that_is_not_allowed_any_more_is_not_written_to(
    database: Database, rep: Person, courier: CourierActivities, chat: ChatService
):
    await give(database, rep, chat.address)
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    (error,) = await go_round(courier, rep.id)
    assert error.non_retryable
    assert "secret-room" not in error.message
    assert not chat.said


async def test_a_chat_that_was_forgotten_is_written_to_no_more(
    database: Database, rep: Person, chatting: CourierActivities, chat: ChatService
):
    await give(database, rep, chat.address)
    await tell(database, rep, NoticeKind.APPROVED, "ERP rollout")
    await give(database, rep, None)
    await go_round(chatting, rep.id)
    assert not chat.said
    assert (await chat_of(database, rep)).state == DeliveryState.DROPPED
