"""Pages with triggers are readable for everybody, whatever a playbook lets happen; partners see less."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.conftest import Deals, Window
from tests.browser.looks import problems
from tests.factories import a_stage, a_task
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

LONG = "W" * 60
TRIGGERS: list[dict[str, Any]] = [
    {"task": a_task("book-room", title=f"Book {LONG}", required=False)},
    {"notify": {"to": "partners", "words": f"Propose two dates. {LONG}"}},
    {
        "when": "deal.amount > 1000.0",
        "when_in_words": f"It is large. {LONG}",
        "notify": {"to": "manager", "words": "Look."},
    },
    {"approval": {"title": "Solution review", "role": "sales_director", "due": "2bd", "words": LONG}},
    {"campaign": {"key": "demo-guests", "step": "invite", "words": LONG}},
]


async def a_deal_that_waits(deals: Deals) -> Any:
    """A deal in a stage whose triggers have fired, and which waits for an approval."""
    await deals.people.of("director@vendor.example")
    book = {
        "key": f"book-{uuid4().hex[:8]}",
        "title": f"Triggers {LONG}",
        "stages": [a_stage("talk", a_task("call"), on_enter=TRIGGERS, on_leave=[TRIGGERS[-1]])],
    }
    admin = await deals.as_("ada@vendor.example")
    published = await admin.post("/api/v1/playbooks", json=book)
    assert published.status_code == 201, published.text
    return await deals.open("With triggers", playbook=book["key"])


async def rejected(director: httpx.AsyncClient, request: str) -> None:
    """Say no, as soon as the request asks: it is a process of its own."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await director.post(f"/api/v1/approvals/{request}/reject", json={"comment": "Not yet."})
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("email", ["vera@vendor.example", "paula@aster.example"])
@pytest.mark.parametrize("of", ["deal", "playbook"])
async def test_a_playbook_with_triggers_and_its_deal_break_no_rule(
    window: Window, deals: Deals, of: str, email: str
):
    deal = await a_deal_that_waits(deals)
    paths = {"deal": f"/opportunities/{deal['id']}", "playbook": f"/playbooks/{deal['playbook']['key']}"}
    page = await window(email)
    await page.goto(paths[of])
    assert await problems(page) == []


async def test_what_is_not_approved_is_asked_for_again_without_scripts(window: Window, deals: Deals):
    deal = await a_deal_that_waits(deals)
    at = f"/opportunities/{deal['id']}"
    vera = await deals.as_("vera@vendor.example")
    waits = (await vera.get(f"/api/v1{at}/blockers")).json()["items"]
    [request] = [each["approval_id"] for each in waits if each["approval_id"]]
    await rejected(await deals.as_("director@vendor.example"), request)
    page = await window("vera@vendor.example", java_script_enabled=False)
    await page.goto(at)
    ask_again = page.get_by_role("link", name="Ask again")
    async with asyncio.timeout(PATIENCE):
        while not await ask_again.is_visible():  # the deal hears of it by itself; this page does not
            await page.reload()
    await ask_again.click()
    await page.get_by_role("button", name="Ask again").click()
    await expect(page.get_by_text("It is asked for again.")).to_be_visible()
    await expect(page.get_by_text("“Solution review” waits for approval").first).to_be_visible()
    partner = await window("paula@aster.example")
    await partner.goto(at)
    await expect(partner.get_by_text("“Solution review” waits for approval").first).to_be_visible()
    await expect(partner.get_by_role("link", name="Ask again")).to_have_count(0)
