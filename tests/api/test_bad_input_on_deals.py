"""Whatever is sent to a deal, by whomever: a sentence, nothing lost, and nothing of others told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.playbook import Playbook
from tests.api.test_opportunities import opened
from tests.stack import PASSWORD, ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")

DEALS = "/api/v1/opportunities"
ACCOUNTS = "/api/v1/accounts"
AS_A_PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "\u0958" * 200, "This may have at most 200 characters."),
        ("amount", {"amount": "9" * 40, "currency": "USD"}, "too many digits"),
        ("amount", {"amount": "1", "currency": "XXX"}, "This is no currency"),
        ("amount", {"amount": "1.55", "currency": "JPY"}, "JPY has no cents; send a whole amount."),
        ("amount", {"amount": "1"}, "This field is required."),
        ("amount", {"amount": "NaN", "currency": "USD"}, "This must be an amount such as"),
        ("amount", {"amount": "-1", "currency": "USD"}, "This must be at least 0."),
        ("amount", {"amount": "1_000", "currency": "USD"}, "This must be an amount such as"),
        ("amount", {"amount": "1e5", "currency": "USD"}, "This must be an amount such as"),
        ("expected_close", "1900-01-01", "between 2000-01-01 and 2100-12-31"),
        ("expected_close", "9999-12-31", "between 2000-01-01 and 2100-12-31"),
        ("expected_close", "1699920000", "This must be a date"),
        ("playbook", "a\0b", "null character"),
        ("surprise", 1, "There is no such field here."),
    ],
)
async def test_a_deal_is_not_opened_with(
    as_: ClientFor, playbook: Playbook, field: str, value: Any, says: str
) -> None:
    rep = await as_("rep@vendor.example")
    body = {"title": "ERP", "customer": {"name": "Acme"}, "playbook": playbook.key, field: value}
    answer = await rep.post(DEALS, json=body)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert says in " ".join([problem["detail"], *(each["detail"] for each in problem.get("errors", []))])


async def test_a_word_said_to_a_command_that_takes_none_is_refused_not_lost(
    as_: ClientFor, people: People, playbook: Playbook
) -> None:
    rep = await as_("rep@vendor.example")
    at = f"{DEALS}/{(await opened(rep, people, playbook))['id']}"
    assert (await rep.post(f"{at}/hold", json={"reason": "Budget freeze."})).status_code == 200
    lost = await rep.post(f"{at}/resume", json={"note": "The budget is back."})
    assert (lost.status_code, lost.json()["errors"][0]["pointer"]) == (422, "/note")
    assert (await rep.post(f"{at}/resume", json={})).status_code == 200
    assert (await rep.post(f"{at}/tasks/confirm-budget/complete")).status_code == 200
    lost = await rep.post(f"{at}/tasks/confirm-budget/reopen", json={"reason": "Not yet."})
    assert lost.status_code == 422
    assert (await rep.post(f"{at}/tasks/confirm-budget/reopen")).status_code == 200


async def test_a_reason_that_is_too_long_is_counted_in_characters(
    as_: ClientFor, people: People, playbook: Playbook
) -> None:
    rep = await as_("rep@vendor.example")
    deal = await opened(rep, people, playbook)
    answer = await rep.post(f"{DEALS}/{deal['id']}/hold", json={"reason": "x" * 1001})
    assert answer.json()["detail"] == "This may have at most 1000 characters."


async def test_of_eight_at_once_one_completes_the_task_and_the_others_are_told_who(
    as_: ClientFor, people: People, playbook: Playbook
) -> None:
    rep = await as_("rep@vendor.example")
    deal = await opened(rep, people, playbook)
    to = f"{DEALS}/{deal['id']}/tasks/confirm-budget/complete"
    answers = await asyncio.gather(*(rep.post(to) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "task_closed"
    assert "is done already: Rep at" in refused.json()["detail"]


@pytest.mark.parametrize(
    "bookmark",
    [
        b"",
        b">x~x",
        b">i:1~i:2",
        b">~",
        b">dt:9999~uuid:z",
        b">s:a~s:b",
        b">f:nan~f:nan",
        b">p:gASV~x",
        b">\xff\xfe",
        b">s:\0~uuid:00000000-0000-0000-0000-000000000000",
        b'>"~x',
    ],
)
async def test_a_cursor_that_somebody_made_is_refused(as_: ClientFor, bookmark: bytes) -> None:
    """Its checksum is right: how it is computed is no secret."""
    rep = await as_("rep@vendor.example")
    for path, order in ((DEALS, "opportunities:-updated_at"), (ACCOUNTS, "accounts:name")):
        checksum = hashlib.sha256(order.encode() + b"\0" + bookmark).digest()[:6]
        cursor = base64.urlsafe_b64encode(checksum + bookmark).decode().rstrip("=")
        answer = await rep.get(path, params={"cursor": cursor})
        assert answer.status_code == 422, (path, answer.text)
        assert answer.json()["code"] in {"invalid_cursor", "invalid_input"}


@pytest.mark.parametrize(("header", "query"), [("nowhere", None), (None, "nowhere"), ("9" * 40 + "-1", None)])
async def test_a_stream_from_nowhere_is_refused_before_it_starts(
    as_: ClientFor, header: str | None, query: str | None
) -> None:
    rep = await as_("rep@vendor.example")
    answer = await rep.get(
        "/api/v1/events/stream",
        headers={"Last-Event-ID": header} if header else {},
        params={"after": query} if query else {},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("query", ["updated_since=2027", "close_before=0", "close_after=1699920000"])
async def test_a_filter_by_time_takes_a_date_not_a_number(as_: ClientFor, query: str) -> None:
    answer = await (await as_("rep@vendor.example")).get(f"{DEALS}?{query}")
    assert answer.status_code == 422
    assert "2027-03-31" in answer.json()["detail"]


async def test_a_body_of_many_wrong_fields_is_answered_shortly(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    answer = await rep.post(DEALS, json={f"field{n}": n for n in range(20_000)})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("20003 things")
    assert len(answer.content) < 10_000


async def test_what_refuses_a_page_before_its_route_answers_a_page(client: httpx.AsyncClient) -> None:
    form = {**AS_A_PAGE, "Content-Type": "application/x-www-form-urlencoded"}
    large = await client.post("/sign-in", content=b"email=" + b"x" * 1_100_000, headers=form)
    foreign = await client.post(
        "/sign-in", data={"email": "a"}, headers={**AS_A_PAGE, "Sec-Fetch-Site": "cross-site"}
    )
    for answer, status, says in ((large, 413, "larger than 1 MB"), (foreign, 403, "from another site")):
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert says in answer.text


async def test_a_form_that_cannot_be_read_is_no_matter_of_json(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sign-in", data={f"f{n}": "1" for n in range(200)}, headers=AS_A_PAGE)
    assert answer.status_code == 400
    assert "The form cannot be read" in answer.text


@pytest.mark.parametrize("said", [b"[" * 20_000, b"5", b"[1]", b"\xff\xfe", b'[{"kind":"a","text":"<i>"}]'])
async def test_a_cookie_that_somebody_made_says_nothing_that_it_should_not(
    client: httpx.AsyncClient, said: bytes
) -> None:
    cookie = f"tandem_flash={base64.urlsafe_b64encode(said).decode()}"
    answer = await client.get("/sign-in", headers={**AS_A_PAGE, "Cookie": cookie})
    assert answer.status_code == 200
    assert "<i>" not in answer.text


async def test_who_guesses_passwords_is_told_when_to_go_on(client: httpx.AsyncClient, people: People) -> None:
    email = f"{uuid4().hex}@vendor.example"
    wrong = {"email": email, "password": PASSWORD}
    for _ in range(10):
        assert (await client.post("/sign-in", data=wrong, headers=AS_A_PAGE)).status_code == 401
    answer = await client.post("/sign-in", data=wrong, headers=AS_A_PAGE)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert email in answer.text, "what was typed stays"
