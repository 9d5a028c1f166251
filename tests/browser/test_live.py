"""What happens elsewhere appears; what somebody is doing is left alone. Cards move by hand and by menu."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Deals, Window

pytestmark = pytest.mark.browser


async def listening(page: Page) -> None:
    """The page hears of changes from here on."""
    await expect(page.locator("html")).to_have_attribute("data-live-state", "on")


async def test_a_change_in_one_window_appears_in_another(window: Window, deals: Deals):
    deal = await deals.open("Seen at once")
    vera, paula = await window("vera@vendor.example"), await window("paula@aster.example")
    for page in (vera, paula):
        await page.goto(f"/opportunities/{deal['id']}")
    await listening(paula)
    await vera.get_by_role("button", name="Complete: Confirm budget").click()
    await expect(paula.locator("#task-confirm-budget")).to_contain_text("Vera")
    await expect(paula.locator("#deal-timeline")).to_contain_text("completed “Confirm budget”")


async def test_what_a_page_says_above_its_list_changes_with_the_list(window: Window, deals: Deals):
    page = await window("vera@vendor.example")
    await page.goto("/pipeline?q=counted-alongside")
    await listening(page)
    await expect(page.locator("#pipeline-summary")).to_contain_text("0 deals in progress")
    await deals.open("Counted-alongside")
    await expect(page.locator("#pipeline")).to_contain_text("Counted-alongside")
    await expect(page.locator("#pipeline-summary")).to_contain_text("1 deal in progress")


async def test_what_somebody_types_is_not_overwritten(window: Window, deals: Deals):
    deal = await deals.open("Half a sentence")
    paula = await window("paula@aster.example")
    await paula.goto(f"/opportunities/{deal['id']}")
    await listening(paula)
    note = paula.get_by_label("A note for both sides")
    await note.press_sequentially("Half a sen")
    await deals.do("vera@vendor.example", deal, "tasks/confirm-budget/complete")
    await expect(paula.locator("#task-confirm-budget")).to_contain_text("Vera")
    await expect(note).to_have_value("Half a sen")
    await expect(note).to_be_focused()
    await note.press_sequentially("tence.")
    await paula.get_by_role("button", name="Add note").click()
    await expect(paula.locator("#deal-timeline")).to_contain_text("Half a sentence.")


async def test_a_form_in_a_sheet_says_why_it_was_refused_and_keeps_what_was_typed(
    window: Window, deals: Deals
):
    deal = await deals.open("Too early")
    page = await window("vera@vendor.example")
    await page.goto(f"/opportunities/{deal['id']}")
    await page.locator("#deal-head summary").click()
    await page.get_by_role("link", name="Move on to Preparation").click()
    sheet = page.locator("#sheet")
    await sheet.get_by_label("Note").fill("<b>Let us go</b>")
    await sheet.get_by_role("button", name="Move on").click()
    await expect(sheet.get_by_role("alert")).to_contain_text("“Confirm budget” is open")
    await expect(sheet.get_by_label("Note")).to_have_value("<b>Let us go</b>")
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()


async def test_a_stale_form_is_not_taken(window: Window, deals: Deals):
    deal = await deals.open("Two editors")
    page = await window("vera@vendor.example")
    await page.goto(f"/opportunities/{deal['id']}/actions/edit")
    rep = await deals.as_("vera@vendor.example")
    await rep.patch(f"/api/v1/opportunities/{deal['id']}", json={"title": "Changed meanwhile"})
    await page.get_by_label("Title").fill("My title")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("It has changed since you read it")
    await expect(page.get_by_label("Title")).to_have_value("My title")


async def card_in(page: Page, column: str, title: str) -> None:
    await expect(page.locator(f'[data-stage="{column}"]').get_by_text(title)).to_be_visible()


async def test_a_card_is_dragged_through_an_open_gate_and_stays_at_a_closed_one(window: Window, deals: Deals):
    ready, early = await deals.open("Dragged: ready to go"), await deals.open("Dragged: not so fast")
    await deals.do("vera@vendor.example", ready, "tasks/confirm-budget/complete")
    await deals.do("paula@aster.example", ready, "tasks/share-profile/complete")
    page = await window("vera@vendor.example", reduced_motion="no-preference")  # cards glide to their places
    await page.goto(f"/pipeline?playbook={deals.playbook.key}&q=dragged")
    sheet = page.locator("#sheet")
    await drag(page, ready["id"], "prepare")
    await expect(page.locator("#flashes")).to_contain_text("The deal is in Preparation now")
    await card_in(page, "prepare", "Dragged: ready to go")
    # The board is fetched again after a drag. While its cards are replaced Playwright takes hold of none: its
    # check of what is under the pointer keeps the mouse's events from the page.
    await expect(page.locator(f"#card-{ready['id']}")).to_contain_text("“Write agenda” is open")
    await drag(page, early["id"], "prepare")
    await expect(sheet.get_by_role("alert")).to_contain_text("“Share profile” is open")
    await sheet.get_by_role("button", name="Close").click()
    await card_in(page, "qualify", "Dragged: not so fast")
    await page.locator(f"#card-{early['id']} summary").click()
    await page.locator(f"#card-{early['id']}").get_by_role("button", name="Preparation").click()
    await expect(sheet.get_by_role("alert")).to_contain_text("“Share profile” is open")


async def drag(page: Page, deal_id: str, stage: str) -> None:
    await page.locator(f"#card-{deal_id}").drag_to(
        page.locator(f'[data-stage="{stage}"]'),
        source_position={"x": 20, "y": 40},
        target_position={"x": 60, "y": 20},
        steps=8,
    )


async def test_a_card_is_moved_by_its_menu_without_scripts(window: Window, deals: Deals):
    deal = await deals.open("By the menu")
    page = await window("vera@vendor.example", java_script_enabled=False)
    await page.goto(f"/pipeline?playbook={deals.playbook.key}&q=By+the+menu")
    await page.locator(f"#card-{deal['id']} summary").click()
    await page.locator(f"#card-{deal['id']}").get_by_role("button", name="Preparation").click()
    await expect(page.get_by_role("alert")).to_contain_text("“Confirm budget” is open")
    await page.get_by_label("Why").fill("They called with the order in hand.")
    await page.get_by_role("button", name="Move", exact=True).click()
    await expect(page.locator("#flashes")).to_contain_text("The deal is in Preparation now")
    await card_in(page, "prepare", "By the menu")


async def test_work_is_done_with_the_keyboard_alone(window: Window, deals: Deals):
    await deals.open("By the keys")
    page = await window("paula@aster.example")
    await page.goto("/")
    await page.keyboard.press("j")
    await expect(page.locator('[data-row][aria-current="true"]')).to_have_count(1)
    while not await page.locator('[aria-current="true"] [data-complete]').count():
        await page.keyboard.press("j")
    row = await page.locator('[aria-current="true"]').get_attribute("id")
    await page.keyboard.press("c")
    await expect(page.locator("#flashes")).to_contain_text("Done:")
    await expect(page.locator(f"#{row}")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
