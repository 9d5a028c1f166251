"""A hand-off in a browser: answered, taken, accepted, followed up, set to be renewed; also on a telephone."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from db.session import Database
from tests.browser.conftest import NARROW, Deals, Window
from tests.browser.looks import broken_rules
from tests.handoffs import publish_a_short_sale

pytestmark = pytest.mark.browser

VERA, SAM, PAULA = "vera@vendor.example", "sam@vendor.example", "paula@aster.example"


@pytest_asyncio.fixture
async def won(deals: Deals, database: Database) -> Any:
    """A deal that is won, and nothing of its hand-off done."""
    deal = await deals.open("Handed over", playbook=await publish_a_short_sale(database))
    await deals.do(VERA, deal, "tasks/call/complete")
    return await deals.do(VERA, deal, "win")


async def said(page: Page, words: str) -> None:
    await expect(page.locator("#flashes")).to_contain_text(words)


async def is_accessible(page: Page) -> None:
    assert await broken_rules(page) == []


async def test_from_the_answers_to_the_first_follow_up(window: Window, won: Any):
    vera = await window(VERA)
    await vera.goto(f"/opportunities/{won['id']}")
    await vera.get_by_role("link", name="Answer: What was promised?").click()
    sheet = vera.locator("#sheet")
    await sheet.get_by_label("Answer").fill("Go-live in June.")
    await sheet.get_by_role("button", name="Complete").click()
    await said(vera, "Done: “What was promised?”.")
    await vera.goto(f"/handoffs/{won['id']}")
    await expect(vera.locator("html")).to_have_attribute("data-live-state", "on")

    sam = await window(SAM)
    await sam.goto("/")
    await sam.get_by_role("navigation", name="Main").get_by_role("link", name="Hand-offs").click()
    await expect(sam.get_by_role("heading", name="Hand-offs", level=1)).to_be_visible()
    await sam.locator(f"#handoff-{won['id']} .title").click()
    await expect(sam.locator("#handoff-lane-vendor")).to_contain_text("Go-live in June.")
    await sam.get_by_role("button", name="Take it").click()
    await said(sam, "It is yours now.")
    await is_accessible(sam)
    await sam.get_by_role("link", name="Accept").click()
    await sam.locator("#sheet").get_by_role("button", name="Accept").click()
    await said(sam, "Handed off to customer success. Well done.")
    await expect(vera.locator("#handoff-follow-ups")).to_contain_text("Is everybody trained?")
    await sam.goto(f"/handoffs/{won['id']}")
    await expect(sam.locator("#handoff-follow-ups")).to_contain_text("Is everybody trained?")
    await sam.get_by_role("link", name="Log: Is everybody trained?").click()
    sheet = sam.locator("#sheet")
    await sheet.get_by_label("How is the customer?").select_option("at_risk")
    await sheet.get_by_label("What did you hear?").fill("The night shift is not trained.")
    await sheet.get_by_role("button", name="Log it").click()
    await said(sam, "The follow-up is logged.")
    await expect(sam.locator("#follow-up-1")).to_contain_text("At risk")
    await is_accessible(sam)


async def test_the_contracts_end_without_javascript_on_a_telephone(window: Window, won: Any):
    sam = await window(SAM, viewport=NARROW, java_script_enabled=False)
    await sam.goto(f"/handoffs/{won['id']}/contract")
    await sam.get_by_label("Contract ends").fill("1999-01-01")
    await sam.get_by_role("button", name="Save").click()
    await expect(sam.get_by_text("give a day in the next ten years").first).to_be_visible()
    await sam.get_by_label("Contract ends").fill("2030-06-30")
    await sam.get_by_role("button", name="Save").click()
    await said(sam, "Saved.")
    await expect(sam.locator("#handoff-about")).to_contain_text("Jun 30, 2030")


@pytest.mark.parametrize("scope", ["waiting", "mine", "follow-ups", "renewals", "all"])
async def test_lists_are_for_everybody_and_fit_a_telephone(window: Window, won: Any, scope: str):
    sam = await window(SAM, viewport=NARROW)
    await sam.goto(f"/handoffs?scope={scope}")
    await is_accessible(sam)
    assert await sam.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


async def test_a_partner_sees_the_checklist_and_no_commands(window: Window, won: Any):
    paula = await window(PAULA)
    await paula.goto(f"/opportunities/{won['id']}")
    await paula.get_by_role("link", name="See the hand-off").click()
    await expect(paula.locator("#handoff-about")).to_contain_text("nobody yet")
    await expect(paula.get_by_role("button", name="Take it")).to_have_count(0)
    await expect(paula.locator(".menu", has_text="Close the hand-off")).to_have_count(0)
