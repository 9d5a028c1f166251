"""The calendar and a deal's agenda in a browser: on a telephone and a desk, in both themes, by keyboard."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import NARROW, Deals, Window
from tests.browser.looks import SWEEP, problems
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

NASTY = "<script>alert('x')</script> abc مرحبا 🎉 " + "W" * 60


@pytest.mark.timeout(SWEEP)
async def test_the_calendar_breaks_no_rule(window: Window, deals: Deals):
    deal = await deals.open(NASTY)
    page = await window("vera@vendor.example")
    due = datetime.fromisoformat(deal["stage"]["due_at"]).date()
    found = {}
    for path in (
        f"/calendar?month={due:%Y-%m}&kind=stage",  # what other tests left would take axe minutes
        f"/calendar?day={due}&kind=stage",
        "/calendar?month=2031-01",
    ):
        await page.goto(path)
        if wrong := await problems(page):
            found[path] = wrong
    await page.goto("/calendar/feeds")
    await page.get_by_label("Where you read it").fill("My phone")
    await page.get_by_role("button", name="Make an address").click()
    await expect(page.get_by_label("Copy it now")).to_be_visible()
    if wrong := await problems(page):
        found["made"] = wrong
    assert found == {}


@pytest.mark.timeout(SWEEP)
async def test_nor_do_a_deals_agenda_and_its_forms(window: Window, deals: Deals):
    deal = await deals.open(NASTY)
    page = await window("vera@vendor.example")
    at = f"/opportunities/{deal['id']}"
    found = {}
    for path in (at, f"{at}/forecast?days=90", f"{at}/actions/check-in", f"{at}/actions/cadence"):
        await page.goto(path)
        if wrong := await problems(page):
            found[path] = wrong
    assert found == {}


async def test_one_walks_through_the_calendar_by_keys(window: Window, deals: Deals):
    await deals.open("Keys")
    page = await window("vera@vendor.example")
    await page.goto("/")
    await page.keyboard.press("g")
    await page.keyboard.press("c")
    this = datetime.now(UTC).date()
    following = (this.replace(day=28) + timedelta(days=4)).replace(day=1)
    before = this.replace(day=1) - timedelta(days=1)
    await expect(page.locator(".lede")).to_contain_text(f"due in {this:%B %Y}")
    for key, month in (("f", following), ("p", this), ("p", before)):
        await page.keyboard.press(key)
        await expect(page.locator(".lede")).to_contain_text(f"due in {month:%B %Y}")
    await page.keyboard.press("t")
    await expect(page.locator("td[aria-current=date]")).to_be_visible()


async def test_news_of_a_month_that_was_left_do_not_overwrite_the_next(window: Window):
    page = await window("vera@vendor.example")
    asked, gone_on = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        """Hold up what the page asks for by itself."""
        if "tandem-live" in route.request.headers and "month=2030-02" not in route.request.url:
            asked.set()
            await gone_on.wait()
        await route.continue_()

    await page.route("**/calendar*", late)
    await page.goto("/calendar?month=2030-01")
    await asyncio.wait_for(asked.wait(), PATIENCE)
    await page.keyboard.press("f")
    await expect(page.locator(".calendar-month")).to_have_text("February 2030")
    async with page.expect_response(lambda each: "month=2030-01" in each.url) as left:
        gone_on.set()
    await (await left.value).finished()
    await page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    await expect(page.locator(".lede")).to_contain_text("due in February 2030")
    await expect(page.locator("#calendar caption")).to_have_text("February 2030")


async def test_the_calendar_works_without_scripts_on_a_telephone(window: Window, deals: Deals):
    deal = await deals.open("Plain and narrow")
    due = datetime.fromisoformat(deal["tasks"][0]["due_at"]).date()
    page = await window("vera@vendor.example", viewport=NARROW, java_script_enabled=False)
    await page.goto(f"/calendar?month={due:%Y-%m}")
    await page.get_by_label("Tasks").check()
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(f"/calendar?month={due:%Y-%m}&kind=task")
    await page.get_by_role("link", name=f"{due:%A, %B} {due.day}", exact=True).click()
    row = page.locator("[data-row]", has_text="Plain and narrow").first
    await row.get_by_role("link", name="Confirm budget").click()
    await expect(page.get_by_role("heading", name="Plain and narrow")).to_be_visible()
    await expect(page.get_by_text("Next: ")).to_be_visible()


async def test_one_looks_ahead_and_plans_from_the_deals_page(window: Window, deals: Deals):
    deal = await deals.open("Ahead")
    page = await window("vera@vendor.example")
    await page.goto(f"/opportunities/{deal['id']}")
    await page.get_by_role("link", name="If nobody acts").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet.get_by_text("was due on").first).to_be_visible()
    await sheet.get_by_role("link", name="7 days").click()
    await expect(sheet.get_by_text("in the next 7 days")).to_be_visible()
    await sheet.get_by_role("button", name="Close").click()
    await page.get_by_role("link", name="Check-ins…").click()
    await sheet.get_by_label("How often").select_option("2w")
    await sheet.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("set the check-ins of this deal: every 14 days")).to_be_visible()


async def test_a_calendar_elsewhere_is_made_and_revoked(window: Window, deals: Deals):
    del deals
    page = await window("paula@aster.example")
    await page.goto("/calendar")
    await page.get_by_role("link", name="Your calendar elsewhere").click()
    await page.get_by_label("Where you read it").fill("Desk")
    await page.get_by_role("button", name="Make an address").click()
    field = page.get_by_label("Copy it now")
    await expect(field).to_be_visible()
    address = await field.input_value()
    answer = await page.request.get(address[address.index("/calendar/") :])
    assert (await answer.text()).startswith("BEGIN:VCALENDAR")
    await page.get_by_role("button", name="Revoke: Desk").click()
    await expect(page.get_by_text("the address shows nothing any more")).to_be_visible()
    assert (await page.request.get(address[address.index("/calendar/") :])).status == 404
