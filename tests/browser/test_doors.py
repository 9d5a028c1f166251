"""The pages' doors: who may come in, and what happens to requests that no form of ours would send."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.browser.conftest import Deals
from tests.stack import calling

HTML = {"Accept": "text/html"}
NOBODY = "0198c5a3-1f20-7d44-8a5e-2b9f6c7d8e90"


@pytest_asyncio.fixture
async def vera(address: str, sessions: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    cookies = {"tandem_session": sessions["vera@vendor.example"]}
    async with calling(address, cookies=cookies, headers=HTML) as client:
        yield client


@pytest_asyncio.fixture
async def paula(address: str, sessions: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    cookies = {"tandem_session": sessions["paula@aster.example"]}
    async with calling(address, cookies=cookies, headers=HTML) as client:
        yield client


async def of_borealis(deals: Deals) -> Any:
    only = [{"partner_id": str(deals.people.borealis.id), "role": "reseller"}]
    return await deals.open("Not for Aster", partners=only)


PAGES = [
    "/",
    "/pipeline",
    "/opportunities/new",
    f"/opportunities/{NOBODY}",
    f"/opportunities/{NOBODY}/actions/lose",
    "/partners",
    f"/partners/{NOBODY}",
    "/partners/new",
    "/accounts",
    f"/accounts/{NOBODY}",
    "/accounts/new",
    "/playbooks",
    "/playbooks/joint-software",
    "/delegations",
    "/delegations/new",
    "/working-time",
]
COMMANDS = ["actions/complete?of=confirm-budget", "actions/note", "actions/lose", "actions/edit", "place"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_sign_in(client: httpx.AsyncClient, path: str):
    answer = await client.get(path, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_stranger_changes_nothing(client: httpx.AsyncClient, command: str):
    answer = await client.post(f"/opportunities/{NOBODY}/{command}", headers=HTML, data={"text": "Hello"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_partner_cannot_touch_the_deal_of_another(
    deals: Deals, paula: httpx.AsyncClient, command: str
):
    deal = await of_borealis(deals)
    answer = await paula.post(f"/opportunities/{deal['id']}/{command}", data={"text": "Hello", "quick": "1"})
    assert answer.status_code == 404
    assert "There is no such opportunity" in answer.text


async def test_a_partner_sees_itself_alone(deals: Deals, paula: httpx.AsyncClient):
    await of_borealis(deals)
    for path in (
        "/pipeline",
        "/pipeline?view=list&status=all",
        "/",
        "/?scope=team",
        "/partners",
        "/accounts",
    ):
        answer = await paula.get(path)
        assert answer.status_code == 200
        assert "Not for Aster" not in answer.text
    assert "Borealis" not in (await paula.get("/partners")).text
    assert (await paula.get(f"/partners/{deals.people.borealis.id}")).status_code == 404
    assert (await paula.post("/partners/new", data={"name": "Mine"})).status_code == 403


async def test_a_form_sent_twice_is_one_change(deals: Deals, vera: httpx.AsyncClient):
    deal = await deals.open("Clicked twice")
    form = {"_key": uuid.uuid4().hex, "text": "Said once."}
    for _ in range(2):
        answer = await vera.post(f"/opportunities/{deal['id']}/actions/note", data=form)
        assert answer.status_code == 303
    other = await vera.post(
        f"/opportunities/{deal['id']}/actions/note", data={**form, "text": "Said as well."}
    )
    assert other.status_code == 303
    text = (await vera.get(f"/opportunities/{deal['id']}")).text
    assert text.count("Said once.") == 1
    assert text.count("Said as well.") == 1


async def test_a_new_deal_sent_twice_is_one_deal(deals: Deals, vera: httpx.AsyncClient):
    form = {
        "_key": uuid.uuid4().hex,
        "title": "Only once",
        "amount": "1",
        "customer_name": "Once",
        "playbook": deals.playbook.key,
    }
    first, second = [await vera.post("/opportunities/new", data=form) for _ in range(2)]
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]


async def test_a_deal_is_opened_with_no_more_than_the_api_asks_for(deals: Deals, vera: httpx.AsyncClient):
    form = await vera.get("/opportunities/new")
    asked = set(re.findall(r'<(?:input|select)[^>]* id="(\w+)"[^>]*\brequired\b', form.text))
    assert asked == {"title", "playbook", "customer_name"}
    typed = {"title": "Least", "playbook": deals.playbook.key, "customer_name": "Acme"}
    opened = await vera.post("/opportunities/new", data=typed)
    assert opened.status_code == 303, opened.text
    page = await vera.get(opened.headers["location"])
    assert "Least" in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/opportunities/not-an-id", 404),
        ("/pipeline?view=list&cursor=made-up", 422),
        ("/pipeline?owner=nobody&partner=%F0%9F%8E%89", 200),
        ("/pipeline?playbook=no-such", 200),
        ("/pipeline?q=%00", 422),
        (f"/pipeline?q={'x' * 201}", 422),
        ("/playbooks/no-such", 404),
        ("/playbooks/joint-software?version=99", 404),
        ("/static/../pyproject.toml", 404),
        (f"/opportunities/{NOBODY}/actions/dance", 404),
        ("/nowhere", 404),
    ],
)
async def test_a_strange_address_gets_a_page_that_says_so(
    deals: Deals, vera: httpx.AsyncClient, path: str, status: int
):
    answer = await vera.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("colour=red", "There is no filter “colour”; it changes nothing."),
        ("view=list&<b>=1", "There is no filter “&lt;b&gt;”; it changes nothing."),
        ("view=cards", "“cards” is no view; there are board and list."),
        ("status=opne", "“opne” is no status; you see the deals in progress."),
        ("playbook=no-such", "There is no playbook “no-such”, so no deal fits."),
        ("owner=nobody", "“nobody” is the e-mail address of no owner, so no deal fits."),
    ],
)
async def test_the_pipeline_says_which_filter_it_did_not_understand(
    vera: httpx.AsyncClient, path: str, said: str
):
    answer = await vera.get(f"/pipeline?{path}")
    assert answer.status_code == 200
    assert said in answer.text


async def test_the_pipeline_has_nothing_to_say_about_filters_that_it_knows(vera: httpx.AsyncClient):
    for known in ("", "view=board", "view=list&status=all&q=x&owner=&partner-typed=&stage=&playbook="):
        assert "was understood" not in (await vera.get(f"/pipeline?{known}")).text


@pytest.mark.parametrize(
    "typed",
    [
        {"title": "x" * 10_000},
        {"title": "null \0 byte"},
        {"amount": "9" * 40},
        {"amount": "1", "currency": "XXX"},
        {"expected_close": "1900-01-01"},
        {"expected_close": "9999-12-31"},
        {"playbook": "no-such"},
        {"partner_id": NOBODY},
        {"customer_domain": "not a domain"},
        {"owner_id": "nobody"},
    ],
    ids="-".join,
)
async def test_what_cannot_be_is_refused_with_the_form_and_what_was_typed(
    deals: Deals, vera: httpx.AsyncClient, typed: dict[str, str]
):
    form = {"title": "Strange", "amount": "1", "customer_name": "Acme", "playbook": deals.playbook.key}
    answer = await vera.post("/opportunities/new", data={**form, **typed})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="Acme"' in answer.text


async def test_another_site_cannot_send_our_forms(deals: Deals, vera: httpx.AsyncClient):
    deal = await deals.open("Not from there")
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await vera.post(
        f"/opportunities/{deal['id']}/actions/note", data={"text": "Hello"}, headers=headers
    )
    assert answer.status_code == 403


async def test_two_people_complete_the_same_task(deals: Deals, vera: httpx.AsyncClient):
    deal = await deals.open("Both at once")
    at = f"/opportunities/{deal['id']}/actions/complete?of=confirm-budget"
    for expected in ("Done:", "is done already"):
        answer = await vera.post(at, data={"quick": "1", "_key": uuid.uuid4().hex}, follow_redirects=True)
        assert answer.status_code == 200
        assert expected in answer.text
