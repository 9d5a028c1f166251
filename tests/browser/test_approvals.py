"""Asking for a discount and deciding on it, in a browser: both homes, by mouse and by key, on a telephone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, Window
from tests.deal_desk import KEY, DealDesk

pytestmark = pytest.mark.browser

VERA, DORA, PAULA = "vera@vendor.example", "dora@vendor.example", "paula@aster.example"


async def asked(desk: DealDesk, title: str, percent: str = "20", by: str = VERA) -> dict[str, Any]:
    """A request that waits for the deal desk."""
    deal = await desk.open(by, title=title)
    return await desk.pending(deal, percent, by)


async def outcome(page: Page, words: str) -> None:
    await expect(page.locator("#flashes")).to_contain_text(words)


async def test_a_seller_sees_who_would_be_asked_while_typing_and_asks(window: Window, desk: DealDesk):
    deal = await desk.open(VERA, title="Live preview")
    page = await window(VERA)
    await page.goto(f"/opportunities/{deal['id']}")
    await page.get_by_role("link", name="Ask for more").click()
    sheet = page.locator("#sheet")
    await sheet.get_by_role("textbox", name="Discount").fill("12")
    await expect(sheet.locator("#preview")).to_contain_text("Granted at once")
    await sheet.get_by_role("textbox", name="Discount").fill("45")
    await expect(sheet.locator(".preview-steps li")).to_have_count(3)
    await expect(sheet.locator("#preview")).to_contain_text("Sales director after Deal desk and Finance")
    await sheet.get_by_role("textbox", name="Discount").fill("20")
    await expect(sheet.locator(".preview-steps li")).to_have_count(1)
    await sheet.get_by_label("Why").fill("They compare three offers.")
    await sheet.get_by_label("Competitor").fill("Rival")
    await sheet.get_by_role("button", name="Ask for it").click()
    await outcome(page, "Asked for 20 %. It waits for Deal desk now.")
    await expect(page.locator("#deal-discounts")).to_contain_text("Pending")
    await expect(page.get_by_role("link", name="Ask for more")).to_have_count(0)


async def test_the_desk_decides_by_keys_alone(window: Window, desk: DealDesk):
    approval = await asked(desk, "Decided by keys")
    page = await window(DORA)
    await page.goto("/")
    await page.keyboard.press("g")
    await page.keyboard.press("d")
    await expect(page.get_by_role("heading", name="Approvals", level=1)).to_be_visible()
    await expect(page.locator(f"#approval-{approval['id']}")).to_contain_text("5 points beyond")
    await page.goto(f"/approvals/{approval['id']}")
    await page.keyboard.press("a")
    await expect(page.locator("#sheet").get_by_role("button", name="Approve")).to_be_focused()
    await page.keyboard.press("Enter")
    await outcome(page, "20 % on Decided by keys is approved.")
    await expect(page.locator("#approval-now")).to_contain_text("Approved; Dora decided last")
    await expect(page.locator(".verbs")).to_have_count(0)


async def test_an_offer_goes_back_and_forth(window: Window, desk: DealDesk):
    approval = await asked(desk, "Offer", "20")
    at = f"/approvals/{approval['id']}"
    dora, vera = await window(DORA), await window(VERA)
    await vera.goto(at)
    await expect(vera.locator("html")).to_have_attribute("data-live-state", "on")
    await dora.goto(at)
    await dora.keyboard.press("o")
    sheet = dora.locator("#sheet")
    await sheet.get_by_label("You would grant").fill("25")
    await sheet.get_by_role("button", name="Offer this").click()
    await expect(sheet.locator(".wrong")).to_contain_text("less than the 20 % asked for")
    await sheet.get_by_label("You would grant").fill("18")
    await sheet.get_by_label("Comment").fill("This much.")
    await sheet.get_by_role("button", name="Offer this").click()
    await outcome(dora, "Your offer went to Vera.")
    await expect(vera.locator("#approval-now")).to_contain_text("Dora offers 18 % instead. “This much.”")
    await vera.goto(f"/opportunities/{approval['subject']['opportunity_id']}")
    waiting = vera.locator("#deal-discounts")
    await expect(waiting).to_contain_text("18 % is offered instead")
    await expect(waiting).to_contain_text("waits for Vera")
    await expect(waiting.locator(".due")).to_have_count(0)
    await waiting.get_by_role("link", name="Answer").click()
    await vera.get_by_role("link", name="Take the offer").click()
    await vera.locator("#sheet").get_by_role("button", name="Take it").click()
    await outcome(vera, "18 % on Offer is approved.")
    await expect(vera.locator("#approval-now")).to_contain_text("Approved; Vera took the offer of Dora")
    await vera.goto(f"/opportunities/{approval['subject']['opportunity_id']}")
    await expect(vera.locator("#deal-discounts")).to_contain_text("Covers up to 18 %")


async def test_several_are_approved_at_once(window: Window, desk: DealDesk):
    two = [await asked(desk, f"At once {number}") for number in (1, 2)]
    page = await window(DORA)
    await page.goto("/approvals")
    for approval in two:
        await page.locator(f"#approval-{approval['id']}").get_by_role("checkbox").check()
    await page.get_by_role("button", name="Approve the chosen").click()
    await outcome(page, "You approved 2 requests.")
    for approval in two:
        assert (await desk.read(approval))["state"] == "approved"


async def test_everything_works_without_scripts_on_a_telephone(window: Window, desk: DealDesk):
    deal = await desk.open(PAULA, title="No scripts")
    plain = {"viewport": NARROW, "java_script_enabled": False}
    paula, dora = await window(PAULA, **plain), await window(DORA, **plain)
    await paula.goto(f"/opportunities/{deal['id']}")
    await paula.get_by_role("link", name="Ask for more").click()
    await paula.get_by_role("textbox", name="Discount").fill("27.5")
    await paula.get_by_role("button", name="Preview").click()
    await expect(paula.locator(".preview-steps li")).to_have_count(2)
    await expect(paula.locator("#preview")).not_to_contain_text("Dora")
    await expect(paula.get_by_role("textbox", name="Discount")).to_have_value("27.5")
    await paula.get_by_label("Why").fill("A strategic account.")
    await paula.get_by_role("button", name="Ask for it").click()
    await expect(paula.locator("#deal-discounts")).to_contain_text("27.5 %")
    await dora.goto("/approvals")
    await dora.get_by_role("link", name="27.5 % on No scripts").click()
    await dora.get_by_role("link", name="Return for changes").click()
    await dora.get_by_role("button", name="Return it").click()  # the browser asks for the comment
    await dora.get_by_label("What is missing?").fill("Which price did they offer?")
    await dora.get_by_role("button", name="Return it").click()
    await outcome(dora, "Paula is asked for changes.")
    await paula.goto("/approvals")
    await paula.get_by_role("link", name="27.5 % on No scripts").click()
    await expect(paula.locator("#approval-now")).to_contain_text("Which price did they offer?")
    await paula.get_by_role("link", name="Submit again").click()
    await paula.get_by_role("textbox", name="Discount").fill("18")
    await paula.get_by_role("button", name="Submit it").click()
    await outcome(paula, "Submitted again.")
    await dora.goto("/approvals")
    await dora.get_by_role("link", name="18 % on No scripts").click()
    await dora.get_by_role("link", name="Approve").first.click()
    await dora.get_by_role("button", name="Approve").click()
    await outcome(dora, "18 % on No scripts is approved.")


async def test_a_partner_sees_neither_margins_nor_who_decides(window: Window, desk: DealDesk):
    approval = await asked(desk, "Partner's view", "27.5", PAULA)
    await desk.done(DORA, approval, "approve", comment="Our floor is 25 %.")
    page = await window(PAULA)
    await page.goto(f"/approvals/{approval['id']}")
    await expect(page.get_by_role("heading", name="Who decides")).to_be_visible()
    text = await page.locator("#main").inner_text()
    for hidden in ("Dora", "floor", "Margin", "More than", "How the like was decided"):
        assert hidden not in text
    answer = await page.goto("/policies")
    assert answer is not None
    assert answer.status == 403


async def test_a_form_that_was_open_too_long_says_what_has_happened(window: Window, desk: DealDesk):
    approval = await asked(desk, "Too late")
    page = await window(DORA)
    await page.goto(f"/approvals/{approval['id']}/approve")
    await desk.done(VERA, approval, "recall")
    await page.get_by_role("button", name="Approve").click()
    await outcome(page, "20 % on Too late was recalled by Vera meanwhile")
    await expect(page.locator(".verbs")).to_have_count(0)


async def test_a_draft_of_a_policy_is_tried_on_past_requests(window: Window, desk: DealDesk):
    approval = await asked(desk, "Past request", "20.37")
    but_this = "discount.beyond > 0.0 && discount.value != 50925.0"  # the table shows the newest of many
    await desk.done(DORA, approval, "approve")
    page = await window(DORA)
    await page.goto(f"/policies/{KEY}")
    await expect(page.get_by_role("heading", name="1. Deal desk")).to_be_visible()
    await expect(page.get_by_role("link", name="Try a draft")).to_have_count(0)
    answer = await page.goto(f"/policies/{KEY}/replay")
    assert answer is not None
    assert answer.status == 403
    admin = await window("ada@vendor.example")
    await admin.goto(f"/policies/{KEY}")
    await admin.get_by_role("link", name="Try a draft").click()
    draft = admin.get_by_role("textbox", name="The draft")
    text = await draft.input_value()
    await draft.fill(text.replace("discount.beyond > 0.0\n", f"{but_this}\n", 1))
    await admin.get_by_role("button", name="Try it on past requests").click()
    row = admin.get_by_role("row").filter(has_text="20.37 % on Past request")
    await expect(row).to_contain_text("nobody")
    await expect(admin.locator(".diff-added")).to_contain_text(but_this)
    await draft.fill(text.replace("discount.beyond > 0.0\n", "discount.beyon > 0.0\n", 1))
    await admin.get_by_role("button", name="Try it on past requests").click()
    await expect(admin.get_by_role("alert")).to_contain_text("did you mean beyond?")


@pytest.mark.usefixtures("desk")
async def test_a_draft_that_was_tried_is_published_and_not_over_somebody_elses(window: Window):
    first, second = await window("ada@vendor.example"), await window("ada@vendor.example")
    for page, beyond in ((first, "6.0"), (second, "7.0")):
        await page.goto(f"/policies/{KEY}/replay")
        draft = page.get_by_role("textbox", name="The draft")
        await draft.fill((await draft.input_value()).replace("beyond > 10.0", f"beyond > {beyond}"))
        await page.get_by_role("button", name="Try it on past requests").click()
        await expect(page.locator(".diff-added").first).to_contain_text(f"beyond > {beyond}")
    await first.get_by_role("button", name="Publish as version").click()
    await outcome(first, "is published. New deals keep it")
    await second.get_by_role("button", name="Publish as version").click()
    await expect(second.get_by_role("alert")).to_contain_text("meanwhile: try the draft again")
    await second.get_by_role("button", name="Try it on past requests").click()
    await second.get_by_role("button", name="Publish as version").click()
    await outcome(second, "is published. New deals keep it")
