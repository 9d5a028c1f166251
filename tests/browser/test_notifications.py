"""Notification preferences in a browser: readable for everybody, kept, and a bell that counts by itself."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.async_api import expect

from activities.notify import NotifyActivities
from db.session import Database
from domain.notice import Message, NoticeKind
from runtime.links import Links
from runtime.settings import Settings
from tests.browser.conftest import NARROW, Deals, Window
from tests.browser.looks import SWEEP, problems

pytestmark = pytest.mark.browser


@pytest.mark.timeout(SWEEP)
async def test_preferences_and_ways_out_break_no_rule(window: Window, deals: Deals, settings: Settings):
    vera = await deals.people.of("vera@vendor.example")
    page = await window("vera@vendor.example")
    await page.goto("/notifications")
    assert await problems(page) == []
    await page.get_by_label("Quiet from").fill("20:00")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("Quiet hours need both times")
    assert await problems(page) == []
    stranger = await window(None)
    way_out = Links(settings).unsubscribe(vera.id, [NoticeKind.RECALLED])
    await stranger.goto("/" + way_out.split("/", 3)[3])
    assert await problems(stranger) == []


async def test_choices_are_kept_and_a_mails_way_out_ends_its_kind(
    window: Window, deals: Deals, settings: Settings
):
    dora = await deals.people.of("dora@vendor.example")
    page = await window("dora@vendor.example", viewport=NARROW)
    await page.goto("/")
    await page.get_by_label("Your menu").click()
    await page.get_by_role("link", name="Notification preferences").click()
    choice = page.get_by_label("A task is due: By mail")
    await expect(choice).to_have_value("daily")
    await choice.select_option("At once")
    await page.get_by_label("Quiet from").fill("20:00")
    await page.get_by_label("Quiet until").fill("07:00")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("You are told like this from now on.")).to_be_visible()
    await expect(choice).to_have_value("at_once")
    await expect(page.get_by_label("Quiet until")).to_have_value("07:00")
    stranger = await window(None)
    way_out = Links(settings).unsubscribe(dora.id, [NoticeKind.TASK_DUE])
    await stranger.goto("/" + way_out.split("/", 3)[3])
    await stranger.get_by_role("button", name="End these mails").click()
    await expect(stranger.get_by_role("heading", name="You get no more mails of this kind")).to_be_visible()
    await page.reload()
    await expect(choice).to_have_value("off")


async def test_the_bell_counts_by_itself_where_nothing_else_is_live(
    window: Window, deals: Deals, database: Database
):
    sam = await deals.people.of("sam@vendor.example")
    page = await window("sam@vendor.example")
    await page.goto("/working-time")
    await expect(page.locator("html[data-live-state=on]")).to_have_count(1)
    bell = page.locator("#bell a")
    before = await bell.get_attribute("aria-label") or ""
    message = Message(
        kind=NoticeKind.INFORMATION, cause=str(uuid4()), recipients=(sam.id,), title="T", words="W"
    )
    await NotifyActivities(database, mails=False).notify(message)
    unread = 1 + int("".join(filter(str.isdigit, before)) or 0)
    await expect(bell).to_have_attribute("aria-label", f"Notices: {unread} not read")
    await expect(bell.locator(".count")).to_have_text(str(unread))
