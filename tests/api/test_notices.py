"""Notices: each person's own, in the API and on the page; unsent mails for administrators."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from activities.notify import NotifyActivities
from api.app import create_app
from db.session import Database
from db.tables import NoticeDelivery
from domain.notice import DeliveryState, Message, NoticeKind
from domain.principal import Role
from runtime.ids import new_id
from runtime.settings import Settings
from tests.patience import PATIENCE
from tests.stack import PASSWORD, ClientFor, People, Person, calling, serving

NOTICES = "/api/v1/notices"


def by_mail(settings: Settings) -> Settings:
    """With a mail server that is away, and a queue that no worker listens to: what waits, waits."""
    queue = f"mailing-{uuid4().hex}"
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "Tandem <tandem@vendor.example>"}
    return settings.model_copy(update={**mail, "task_queue": queue})


@pytest.fixture
async def desk(people: People) -> Person:
    return await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK, password=PASSWORD)


@pytest.fixture
async def page(address: str, desk: Person) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts in which the desk is signed in."""
    async with calling(address, follow_redirects=True) as browser:
        await browser.post("/sign-in", data={"email": desk.email, "password": PASSWORD})
        yield browser


async def tell(database: Database, *to: Person, **more: Any) -> None:
    said = {
        "kind": NoticeKind.DECISION_WANTED,
        "cause": str(uuid4()),
        "title": "27.5 % on ERP rollout",
        "words": "Rosa Rep asks for 27.5 %.",
        "approval_id": new_id(),
        "step_key": "deal-desk",
    }
    message = Message(**{**said, "recipients": tuple(each.id for each in to), **more})
    await NotifyActivities(database, mails=True).notify(message)


async def listed(client: httpx.AsyncClient, person: Person, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(NOTICES, headers=person.headers, params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient):
    for answer in (
        await client.get(NOTICES),
        await client.post(f"{NOTICES}/{uuid4()}/read"),
        await client.post(f"{NOTICES}/read-all"),
        await client.post(f"{NOTICES}/{uuid4()}/resend"),
        await client.post(f"{NOTICES}/resend-failed"),
    ):
        assert answer.status_code == 401
    page = await client.get("/notices", headers={"Accept": "text/html"})
    assert page.headers["location"] == "/sign-in?next=%2Fnotices"


async def test_nobody_sees_or_reads_what_another_was_told(
    client: httpx.AsyncClient, database: Database, desk: Person, people: People
):
    await tell(database, desk)
    (notice,) = await listed(client, desk)
    for email in ("desk@vendor.example", "admin@vendor.example", "seller@aster.example"):
        other = await people.of(email)
        assert notice["id"] not in {each["id"] for each in await listed(client, other)}
        answer = await client.post(f"{NOTICES}/{notice['id']}/read", headers=other.headers)
        assert answer.status_code == 404
    assert (await listed(client, desk))[0]["read_at"] is None


async def test_notices_are_listed_newest_first_and_read_once(
    client: httpx.AsyncClient, database: Database, desk: Person
):
    for title in ("first", "second", "third"):
        await tell(database, desk, title=title)
    found = await listed(client, desk)
    assert [notice["title"] for notice in found] == ["third", "second", "first"]
    assert found[0]["recipient"]["email"] == desk.email
    assert (found[0]["mail"]["state"], found[0]["mail"]["attempts"]) == ("waiting", 0)
    assert found[0]["chat"]["state"] == "none"
    read = await client.post(f"{NOTICES}/{found[0]['id']}/read", headers=desk.headers)
    assert read.json()["read_at"] is not None
    again = await client.post(f"{NOTICES}/{found[0]['id']}/read", headers=desk.headers)
    assert again.json() == read.json()
    assert [notice["title"] for notice in await listed(client, desk, unread=True)] == ["second", "first"]
    assert (await client.post(f"{NOTICES}/read-all", headers=desk.headers)).status_code == 204
    assert await listed(client, desk, unread=True) == []
    first = await client.get(NOTICES, headers=desk.headers, params={"limit": 2})
    following = await client.get(first.links["next"]["url"], headers=desk.headers)
    assert [notice["title"] for notice in following.json()["items"]] == ["first"]


async def fail(database: Database, person: Person) -> UUID:
    """A notice of somebody whose mail was refused for good."""
    await tell(database, person)
    refused = {"state": DeliveryState.FAILED, "error": "550 No such user", "attempts": 1}
    async with database.transaction() as session:
        statement = update(NoticeDelivery).where(col(NoticeDelivery.user_id) == person.id)
        statement = statement.values(**refused, batch_id=col(NoticeDelivery.notice_id))
        found = await session.execute(statement.returning(col(NoticeDelivery.notice_id)))
        the_id: UUID = found.scalar_one()
    return the_id


async def test_only_administrators_see_what_could_not_be_mailed(
    client: httpx.AsyncClient, database: Database, desk: Person, people: People, as_: ClientFor
):
    notice_id = await fail(database, desk)
    for email in ("desk@vendor.example", "director@vendor.example", "lead@aster.example"):
        other = await as_(email)
        assert (await other.get(NOTICES, params={"failed": True})).status_code == 403
        assert (await other.post(f"{NOTICES}/{notice_id}/resend")).status_code == 403
    admin = await people.of("admin@vendor.example")
    found = {each["id"]: each for each in await listed(client, admin, failed=True, limit=200)}
    assert found[str(notice_id)]["mail"]["error"] == "550 No such user"
    assert found[str(notice_id)]["recipient"]["email"] == desk.email


async def test_without_a_mail_server_nothing_is_sent_again(
    client: httpx.AsyncClient, database: Database, desk: Person, people: People
):
    notice_id = await fail(database, desk)
    admin = await people.of("admin@vendor.example")
    answer = await client.post(f"{NOTICES}/{notice_id}/resend", headers=admin.headers)
    assert answer.status_code == 409
    assert "TANDEM_SMTP_URL" in answer.json()["detail"]


async def test_an_administrator_has_a_mail_sent_again(
    settings: Settings, database: Database, desk: Person, people: People
):
    notice_id = await fail(database, desk)
    admin = await people.of("admin@vendor.example")
    mailing = by_mail(settings)
    async with (
        serving(create_app(mailing)) as address,
        calling(address, headers=admin.headers) as client,
    ):
        again = await client.post(f"{NOTICES}/{notice_id}/resend")
        assert again.json()["mail"]["state"] == "waiting"
        assert again.json()["mail"]["attempts"] == 0
        assert (await client.post(f"{NOTICES}/{notice_id}/resend")).status_code == 409
        assert (await client.post(f"{NOTICES}/{uuid4()}/resend")).status_code == 404


async def test_an_administrator_has_all_sent_again(
    settings: Settings, database: Database, desk: Person, people: People, as_: ClientFor
):
    notice_id = await fail(database, desk)
    admin = await people.of("admin@vendor.example")
    for email in ("desk@vendor.example", "lead@aster.example"):
        assert (await (await as_(email)).post(f"{NOTICES}/resend-failed")).status_code == 403
    assert (await (await as_(admin.email)).post(f"{NOTICES}/resend-failed")).status_code == 409
    mailing = by_mail(settings)
    async with (
        serving(create_app(mailing)) as address,
        calling(address, headers=admin.headers) as client,
    ):
        assert (await client.post(f"{NOTICES}/resend-failed")).status_code == 204
        again = await client.post("/notices/resend", headers={"Accept": "text/html"})
        assert again.status_code == 303
        assert str(notice_id) not in {each["id"] for each in await listed(client, admin, failed=True)}
    (notice,) = await listed(await as_(admin.email), desk)
    assert notice["mail"]["state"] == "waiting"


async def test_the_page_lists_notices_and_marks_them_read_without_scripts(
    page: httpx.AsyncClient, database: Database, desk: Person
):
    assert "Nothing has concerned you so far" in (await page.get("/notices")).text
    for title in ("ERP <rollout>", "Second"):
        await tell(database, desk, title=title)
    shown = (await page.get("/notices")).text
    assert "ERP &lt;rollout&gt;" in shown
    assert "You have not read 2 notices." in shown
    (one, _) = await listed(page, desk)
    after = await page.post(f"/notices/{one['id']}/read", data={"back": "/notices"})
    assert "You have not read 1 notice." in after.text
    everything = await page.post("/notices/read")
    assert "You have read all of them." in everything.text
    assert "All notices are marked as read." in everything.text


async def test_every_page_says_how_many_notices_are_not_read(
    page: httpx.AsyncClient, database: Database, desk: Person
):
    assert 'aria-label="Notices"' in (await page.get("/playbooks")).text
    await tell(database, desk)
    assert 'aria-label="Notices: 1 not read"' in (await page.get("/playbooks")).text


async def test_an_administrator_sees_on_the_page_what_could_not_be_mailed(
    address: str, page: httpx.AsyncClient, database: Database, desk: Person, people: People
):
    await fail(database, desk)
    assert "What could not be sent" not in (await page.get("/notices")).text
    boss = await people.add(f"{uuid4().hex}@vendor.example", Role.ADMIN, password=PASSWORD)
    async with calling(address, follow_redirects=True) as browser:
        await browser.post("/sign-in", data={"email": boss.email, "password": PASSWORD})
        shown = (await browser.get("/notices")).text
        assert "What could not be sent" in shown
        assert "Send all again" in shown
        assert desk.email in shown
        answer = await browser.post(f"/notices/{uuid4()}/resend")
        assert "There is no such notice." in answer.text


async def test_the_stream_says_how_many_notices_are_not_read_as_soon_as_that_changes(
    address: str, database: Database, desk: Person, people: People
):
    other = await people.add(f"{uuid4().hex}@vendor.example", Role.DEAL_DESK)
    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(base_url=address, headers=desk.headers, timeout=None) as listener,
        listener.stream("GET", "/api/v1/events/stream") as stream,
    ):
        counts = (
            json.loads(line.removeprefix("data: "))["unread"]
            async for line in stream.aiter_lines()
            if line.startswith('data: {"unread"')
        )
        telling = asyncio.create_task(keep_telling(database, other, desk))
        assert await anext(counts) > 0
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
        await listener.post(f"{NOTICES}/read-all")
        while await anext(counts):
            pass


async def keep_telling(database: Database, *people: Person) -> None:
    """Tell people things until it is heard: from when on the stream counts, it does not say."""
    while True:
        for person in people:
            await tell(database, person)
        await asyncio.sleep(0.1)
