"""What a deal sells, on its page: added, changed and taken out, with scripts and without."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Deals, Window
from tests.browser.looks import SWEEP, problems
from tests.factories import COSTS

pytestmark = pytest.mark.browser


async def a_product(deals: Deals, name: str, price: str, **more: Any) -> str:
    """A product in the catalogue: its SKU."""
    sku = f"SKU-{uuid4()}"
    body = {"sku": sku, "name": name, "list_price": {"amount": price, "currency": "USD"}, **more}
    answer = await (await deals.as_("admin@vendor.example")).post("/api/v1/products", json=body)
    assert answer.status_code == 201, answer.text
    return sku


async def fits(page: Page) -> bool:
    wide: bool = await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return wide


async def send(page: Page, button: str, said: str) -> None:
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.locator("#flashes")).to_contain_text(said)


@pytest.mark.parametrize(
    ("scripts", "viewport"), [(True, WIDE), (False, NARROW)], ids=["with scripts", "without, on a phone"]
)
async def test_both_sides_put_together_what_a_deal_sells(
    window: Window, deals: Deals, scripts: bool, viewport: dict[str, int]
):
    suite = await a_product(deals, "ERP suite", "6000", cost={"amount": "4321.09", "currency": "USD"})
    support = await a_product(deals, "Support", "50.50")
    deal = await deals.open("Lines of both sides")
    at = f"/opportunities/{deal['id']}"
    vera = await window("vera@vendor.example", java_script_enabled=scripts, viewport=viewport)
    paula = await window("paula@aster.example", java_script_enabled=scripts, viewport=viewport)

    await vera.goto(at)
    lines = vera.locator("#deal-lines")
    await expect(lines).to_contain_text("No lines yet")
    await lines.get_by_role("link", name="Add a line").click()
    await vera.get_by_label("Product").fill("no such thing")
    await vera.get_by_role("button", name="Add", exact=True).click()
    await expect(vera.get_by_text("There is no product with the SKU no such thing.").last).to_be_visible()
    await vera.get_by_label("Product").fill(suite)
    await vera.get_by_label("Quantity").fill("10")
    await send(vera, "Add", "The line is added.")
    await expect(vera.locator("#deal-facts")).to_contain_text("$60,000")
    await expect(lines.get_by_role("row", name="ERP suite")).to_contain_text("$16,789.10")

    await paula.goto(at)
    lines = paula.locator("#deal-lines")
    assert not COSTS.search(await paula.content())
    await expect(lines).not_to_contain_text("Margin")
    await lines.get_by_role("link", name="Add a line").click()
    await paula.get_by_label("Product").fill(support.lower())
    await send(paula, "Add", "The line is added.")
    await expect(lines.get_by_role("row", name="Together")).to_contain_text("$60,050.50")
    await lines.locator("summary[aria-label='More for: ERP suite']").click()
    await lines.get_by_role("link", name="Change").click()
    await paula.get_by_role("textbox", name="Discount").fill("99 %")
    await paula.get_by_role("button", name="Save").click()
    await expect(paula.get_by_role("alert")).to_contain_text("ask for a discount on this line")
    await paula.get_by_role("textbox", name="Discount").fill("0")
    await paula.get_by_label("Quantity").fill("2")
    await send(paula, "Save", "Saved.")
    await expect(lines.get_by_role("row", name="Together")).to_contain_text("$12,050.50")
    assert await fits(paula)

    await vera.goto(at)
    lines = vera.locator("#deal-lines")
    await lines.locator("summary[aria-label='More for: Support']").click()
    await lines.get_by_role("link", name="Take out").click()
    await send(vera, "Take it out", "The line is gone.")
    await expect(lines.get_by_role("row", name=re.compile("Support"))).to_have_count(0)
    await expect(vera.locator("#deal-timeline")).to_contain_text("took Support out of the deal")
    assert await fits(vera)
    await vera.goto(f"{at}/actions/edit")
    await expect(vera.get_by_label("Amount")).to_have_count(0)


@pytest.mark.timeout(SWEEP)
async def test_lines_and_products_are_readable_for_everybody(window: Window, deals: Deals):
    sku = await a_product(deals, "W" * 60, "6000", cost={"amount": "9000", "currency": "USD"})
    deal = await deals.open("Lines to read")
    await (await deals.as_("vera@vendor.example")).post(
        f"/api/v1/opportunities/{deal['id']}/lines", json={"sku": sku, "quantity": 1000}
    )
    at = f"/opportunities/{deal['id']}"
    wrong = {}
    page = await window("vera@vendor.example")
    for path in (
        at,
        f"{at}/actions/add-line",
        f"{at}/actions/change-line?of=line-3",
        f"/products?q={sku}",
        "/exchange-rates",
    ):
        await page.goto(path)
        wrong[path] = await problems(page)
    assert {path: found for path, found in wrong.items() if found} == {}
