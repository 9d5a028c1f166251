"""A deal from its opening to the hand-over, on the pages: with scripts, and without."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Deals, Window
from tests.stack import PASSWORD

pytestmark = pytest.mark.browser


async def complete(page: Page, task: str) -> None:
    await page.get_by_role("button", name=f"Complete: {task}").click()
    await expect(page.get_by_text(f"Done: “{task}”")).to_be_visible()


async def give(page: Page, offer: str, button: str) -> None:
    """Choose a command in the deal's head, and send its form."""
    link = page.locator("#deal-head").get_by_role("link", name=offer)
    if not await link.is_visible():
        await page.locator("#deal-head summary").click()
    await link.click()
    await page.get_by_role("button", name=button, exact=True).click()


async def agreed(page: Page, words: str) -> None:
    await expect(page.locator("#flashes")).to_contain_text(words)


@pytest.mark.parametrize(
    ("scripts", "viewport"), [(True, WIDE), (False, NARROW)], ids=["with scripts", "without, on a phone"]
)
async def test_a_deal_is_worked_from_first_contact_to_hand_over(
    window: Window, deals: Deals, scripts: bool, viewport: dict[str, int]
):
    vera = await window("vera@vendor.example", java_script_enabled=scripts, viewport=viewport)
    paula = await window("paula@aster.example", java_script_enabled=scripts, viewport=viewport)
    sam = await window("sam@vendor.example", java_script_enabled=scripts, viewport=viewport)

    await vera.goto("/opportunities/new")
    await vera.get_by_label("Title").fill("Line 4 automation")
    await vera.get_by_label("Amount").fill("1,250,000")
    await vera.get_by_label("Expected close").fill("2055-05-31")
    await vera.get_by_label("Playbook").select_option(deals.playbook.key)
    await vera.get_by_label("Company").fill("Ostrava Steelworks")
    await vera.locator("#partner_id").select_option(label="Aster Integrators")
    await vera.get_by_role("button", name="Open the opportunity").click()
    await expect(vera.get_by_role("heading", name="Line 4 automation")).to_be_visible()
    await agreed(vera, "Opened.")
    deal = vera.url
    for page in (paula, sam):
        await page.goto(deal)

    await complete(vera, "Confirm budget")
    await complete(paula, "Share profile")
    await vera.goto(deal)
    await give(vera, "Move on to", "Move on")
    await agreed(vera, "2 tasks opened")
    await complete(vera, "Write agenda")
    await paula.goto(deal)
    await complete(paula, "Invite customer")
    await vera.goto(deal)
    await complete(vera, "Run demo")
    await give(vera, "Agree that", "Agree")
    await agreed(vera, "You agreed for your side")
    await paula.goto(deal)
    await give(paula, "Agree that", "Agree")
    await agreed(paula, "The deal is in")
    await vera.goto(deal)
    await complete(vera, "Sign contract")
    await give(vera, "Mark as won", "The customer has signed")
    await agreed(vera, "Won.")
    await complete(vera, "Plan onboarding")
    await sam.goto(deal)
    await give(sam, "Accept the hand-off", "Accept")
    await agreed(sam, "Handed off to customer success")
    await expect(sam.locator("#deal-head")).to_contain_text("Handed off")


async def test_somebody_signs_in_and_out_without_scripts(window: Window, deals: Deals):
    page = await window(None, java_script_enabled=False)
    await page.goto("/pipeline?view=list")
    await page.get_by_label("E-mail").fill("vera@vendor.example")
    await page.get_by_label("Password").fill("not this one at all")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not right")
    await expect(page.get_by_label("E-mail")).to_have_value("vera@vendor.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url("/pipeline?view=list")
    await page.locator("summary", has_text="Vera").click()
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.locator("summary", has_text="Vera").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto("/")
    await expect(page).to_have_url("/sign-in")
