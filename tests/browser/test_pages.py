"""Every page, in both themes, on a phone and on a desktop: readable for everybody, and nothing sticks out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, Deals, Window
from tests.browser.looks import SWEEP, problems
from tests.deal_desk import KEY, DealDesk

pytestmark = pytest.mark.browser

NASTY = "<script>alert('x')</script> abc مرحبا 🎉 " + "W" * 60


async def every_page(page: Page, *paths: str) -> None:
    found = {}
    for path in paths:
        await page.goto(path)
        if wrong := await problems(page):
            found[path] = wrong
    assert found == {}


@pytest.mark.timeout(SWEEP)
async def test_no_page_breaks_an_accessibility_rule_or_sticks_out(window: Window, deals: Deals):
    deal = await deals.open(NASTY, customer={"name": NASTY[:150]})
    await deals.do("paula@aster.example", deal, "tasks/share-profile/complete", note=NASTY)
    at = f"/opportunities/{deal['id']}"
    page = await window("vera@vendor.example")
    await every_page(
        page,
        "/",
        "/pipeline?q=alert",  # what other tests left would take axe minutes
        f"/pipeline?playbook={deals.playbook.key}&q=alert",
        "/pipeline?view=list&status=all&q=alert",
        at,
        f"{at}/actions/lose",
        f"{at}/actions/edit",
        "/opportunities/new",
        "/partners",
        f"/partners/{deals.people.aster.id}",
        "/accounts",
        f"/accounts/{deal['account_id']}",
        "/playbooks",
        f"/playbooks/{deals.playbook.key}",
        "/delegations",
        "/delegations/new",
        "/working-time",
        "/nowhere",
    )


async def asked_and_decided(desk: DealDesk) -> dict[str, Any]:
    """A request that came back, was amended, and was decided on by one of two."""
    deal = await desk.open("vera@vendor.example", title=NASTY)
    approval = await desk.pending(deal, "27.5", "vera@vendor.example", reason=NASTY, competitor=NASTY[:90])
    await desk.done("dora@vendor.example", approval, "return", comment=NASTY)
    await desk.done("vera@vendor.example", approval, "resubmit", comment=NASTY)
    return await desk.done("dora@vendor.example", approval, "approve", comment=NASTY)


@pytest.mark.timeout(SWEEP)
async def test_nor_do_those_of_requests_and_policies(window: Window, desk: DealDesk):
    waiting = await asked_and_decided(desk)
    at = f"/approvals/{waiting['id']}"
    await desk.pending(await desk.open(title=NASTY), "22", reason=NASTY)
    for email, paths in {
        "vera@vendor.example": (
            at,
            f"/opportunities/{waiting['subject']['opportunity_id']}",
            f"/opportunities/{waiting['subject']['opportunity_id']}/discounts/new",
        ),
        "dora@vendor.example": ("/approvals", "/approvals?scope=open", at, f"{at}/counter"),
        "ada@vendor.example": (f"/policies/{KEY}", f"/policies/{KEY}/compare", f"/policies/{KEY}/replay"),
    }.items():
        page = await window(email)
        await every_page(page, *paths)


async def test_what_people_write_is_shown_as_they_wrote_it(window: Window, deals: Deals):
    deal = await deals.open(NASTY)
    page = await window("paula@aster.example")
    await page.goto(f"/opportunities/{deal['id']}")
    await page.get_by_label("A note for both sides").fill("<img src=x onerror=alert(1)>\nSecond line")
    await page.get_by_role("button", name="Add note").click()
    await expect(page.locator("#deal-timeline")).to_contain_text("<img src=x onerror=alert(1)>")
    assert await page.locator("#deal-timeline img").count() == 0


async def test_a_partner_does_not_see_the_deal_of_another(window: Window, deals: Deals):
    only = [{"partner_id": str(deals.people.borealis.id), "role": "reseller"}]
    deal = await deals.open("Not for Aster", partners=only)
    page = await window("paula@aster.example")
    answer = await page.goto(f"/opportunities/{deal['id']}")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    await page.goto("/pipeline?view=list&q=not+for+aster")
    await expect(page.get_by_text("No deal fits")).to_be_visible()


async def test_an_unfinished_form_says_what_is_missing(window: Window, deals: Deals):
    page = await window("vera@vendor.example", java_script_enabled=False)
    await page.goto("/opportunities/new")
    await page.get_by_label("Title").fill("No such money")
    await page.get_by_label("Amount").fill("a lot")
    await page.get_by_label("Expected close").fill("2055-05-31")
    await page.get_by_label("Playbook").select_option(deals.playbook.key)
    await page.get_by_label("Company").fill("Acme")
    await page.get_by_label("Country").fill("xx")
    await page.get_by_role("button", name="Open the opportunity").click()
    await expect(page.get_by_text("This must be an amount")).to_be_visible()
    await expect(page.get_by_text("This is no country")).to_be_visible()
    await expect(page.get_by_label("Title")).to_have_value("No such money")


async def test_what_has_no_room_on_a_telephone_is_under_more(window: Window, deals: Deals):
    page = await window("sam@vendor.example", viewport=NARROW, java_script_enabled=False)
    await page.goto("/")
    places = page.get_by_role("navigation", name="Main")
    assert await places.evaluate("nav => nav.scrollWidth <= nav.clientWidth")
    await expect(places.get_by_role("link", name="Playbooks")).to_have_count(0)
    await places.get_by_text("More").click()
    await places.get_by_role("link", name="Playbooks").click()
    await expect(page).to_have_url(re.compile("/playbooks$"))
    await expect(page.get_by_role("heading", name="Playbooks", level=1)).to_be_visible()
