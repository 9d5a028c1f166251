"""Out of office in a real browser: a sheet over the page, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from domain.principal import Role
from tests.browser.conftest import NARROW, Window
from tests.stack import People

pytestmark = pytest.mark.browser


async def test_somebody_hands_over_and_comes_back(window: Window, people: People):
    stand_in = await people.add("abel@vendor.example", Role.CUSTOMER_SUCCESS)
    page = await window("sam@vendor.example", viewport=NARROW)
    await page.goto("/")
    await page.get_by_label("Your menu").click()
    await page.get_by_role("link", name="Out of office").click()
    await page.get_by_role("link", name="Say who stands in").click()
    sheet = page.get_by_role("dialog", name="Say who stands in")
    await sheet.get_by_label("Who decides meanwhile", exact=True).select_option(str(stand_in.id))
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    await sheet.get_by_label("Last day away").fill(str(yesterday - timedelta(days=1)))
    await sheet.get_by_role("button", name="Save").click()
    await expect(sheet.locator("#ends_at-wrong")).to_contain_text("later than the start")
    await sheet.get_by_label("Last day away").fill("")
    await sheet.get_by_role("button", name="Save").click()
    await expect(page.locator("#flashes")).to_contain_text("Abel decides for you meanwhile.")
    row = page.get_by_role("row", name="Abel")
    await expect(row).to_contain_text("Away now")
    await row.get_by_role("button", name="I am back").click()
    await expect(page.locator("#flashes")).to_contain_text("nobody stands in any more")
    await expect(page.get_by_text("Nobody is away")).to_be_visible()
