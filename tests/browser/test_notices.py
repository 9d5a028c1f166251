"""Notices and links of mails in a browser: readable for everybody, on a telephone too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import expect
from temporalio.client import Client

from activities.notify import NotifyActivities
from api.app import create_app
from api.services import Services
from db.session import Database
from domain.approval.state import ApprovalState
from domain.notice import Message, NoticeKind
from runtime.settings import Settings
from tests.browser.conftest import NARROW, Deals, Window
from tests.browser.looks import SWEEP, problems
from tests.decisions import Case, a_case
from tests.stack import People, Person

pytestmark = pytest.mark.browser

NASTY = "<script>alert('x')</script> \u202eabc مرحبا 🎉 " + "W" * 60


@pytest.fixture
async def services(settings: Settings, database: Database) -> AsyncIterator[Services]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app.state.services


@pytest.fixture
async def case(services: Services, temporal: Client, worker: None, people: People) -> Case:
    return await a_case(services, temporal, people)


@pytest.mark.timeout(SWEEP)
async def test_notices_and_links_break_no_rule(window: Window, case: Case, deals: Deals):
    vera = await deals.people.of("vera@vendor.example")
    message = Message(
        kind=NoticeKind.REJECTED,
        cause=str(uuid4()),
        recipients=(vera.id,),
        title=NASTY,
        words=NASTY,
        approval_id=case.id,
    )
    await NotifyActivities(case.database, mails=False).notify(message)
    page = await window("vera@vendor.example")
    await page.goto("/notices")
    assert await problems(page) == []
    stranger = await window(None)
    await stranger.goto(f"/decide/{await case.link(case.desk)}")
    assert await problems(stranger) == []
    await stranger.goto("/decide/forged")
    assert await problems(stranger) == []


async def test_a_link_is_used_from_a_browser_that_says_nothing_of_where_it_comes_from(
    window: Window, case: Case
):
    page = await window(None, viewport=NARROW)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(str(request.headers.get("referer", ""))))
    await page.goto(f"/decide/{await case.link(case.desk)}")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_text("Say why: the requester reads it.", exact=True)).to_be_visible()
    await page.get_by_label("Comment").fill("Too much.")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("heading", name="Recorded: you rejected")).to_be_visible()
    assert (await case.approval()).state is ApprovalState.REJECTED
    assert not [referrer for referrer in sent if "/decide/" in referrer]


async def told(database: Database, person: Person) -> str:
    """Tell somebody something; its title."""
    message = Message(
        kind=NoticeKind.INFORMATION,
        cause=str(uuid4()),
        recipients=(person.id,),
        title=f"Told {uuid4().hex}",
        words="Something happened.",
    )
    await NotifyActivities(database, mails=False).notify(message)
    return message.title


async def test_a_notice_is_read_and_the_bell_counts_it(window: Window, deals: Deals, database: Database):
    vera = await deals.people.of("vera@vendor.example")
    await told(database, vera)
    title = await told(database, vera)
    page = await window("vera@vendor.example")
    await page.goto("/")
    await page.get_by_role("link", name="not read").click()
    row = page.locator("[data-row]", has_text=title)
    await expect(row).to_contain_text("not read")
    await row.get_by_role("button", name="Mark as read").click()
    await expect(row).not_to_contain_text("not read")
    await expect(row.get_by_role("button")).to_have_count(0)
    read_all = page.get_by_role("button", name="Mark all as read")
    await read_all.click()
    await expect(read_all).to_have_count(0)
    await expect(page.locator("html")).to_have_attribute("data-live-state", "on")
    await expect(page.locator("[data-row]", has_text=await told(database, vera))).to_be_visible()
    await expect(read_all).to_be_visible()
