"""Whatever is sent, the answer is a sentence, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.stack import ClientFor

ACCOUNTS = "/api/v1/accounts"
JSON = {"content-type": "application/json"}


async def refused(client: httpx.AsyncClient, body: bytes, status: int, **headers: str) -> dict[str, Any]:
    answer = await client.post(ACCOUNTS, content=body, headers={**JSON, **headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["detail"].endswith((".", "errors."))
    return problem


async def test_anonymous_is_asked_to_sign_in_whatever_the_body(client: httpx.AsyncClient) -> None:
    answer = await client.post(ACCOUNTS, json={"name": "x"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"\xff\xfe\x00", 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"custom": ' * 500 + b"1" + b"}" * 500, 422),
        (b'{"name": "a", "custom": {"deep": ' + b"[" * 400 + b"]" * 400 + b"}}", 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": 1}', 422),
        (b'{"name": "a", "custom": {"n": NaN}}', 422),
        (b'{"name": "a", "custom": {"n": 1e999}}', 422),
        (b'{"name": "a", "custom": {"n": ' + b"9" * 5000 + b"}}", 400),
        (b'{"name": "a", "name": {}}', 422),
    ],
)
async def test_what_is_no_account_is_refused(as_: ClientFor, body: bytes, status: int) -> None:
    await refused(await as_("rep@vendor.example"), body, status)


async def test_a_body_of_another_kind_is_refused(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        problem = await refused(rep, b'{"name": "a"}', 415, **{"content-type": kind})
        assert problem["detail"] == "Send JSON as application/json."


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("nom", "Acme", "There is no such field here."),
        ("name", "x" * 10_000, "This may have at most 200 characters."),
        ("name", "   ", "This text may not be empty."),
        ("name", "\u0958" * 200, "This may have at most 200 characters."),
        ("name", "\u200b\u2060", "This text may not be empty."),
        ("name", "a\x07b", "This text holds control characters; remove them."),
        ("name", "a\u202eb", "This text holds U+202E, which turns the direction of reading; remove it."),
        ("name", "a\u2067b", "This text holds U+2067, which turns the direction of reading; remove it."),
        ("name", None, "This must be text."),
        ("name", ["Acme"], "This must be text."),
        ("country", "XX", "This is no country; send an ISO 3166 code such as US or DE."),
        ("country", "Germany", "This may have at most 2 characters."),
        ("domain", "https://acme.example/path", "This is no domain"),
        ("custom", {"Bad Key": 1}, "lower-case"),
        ("custom", {"field": {"a": 1}}, "A custom field takes a text, a number"),
        ("custom", {"field": 10**30}, "A custom field takes a text, a number"),
        ("custom", {f"f{n}": n for n in range(60)}, "This may have at most 50 items."),
        ("external", {"source": "crm"}, "This field is required."),
    ],
)
async def test_each_field_says_what_it_takes(as_: ClientFor, field: str, value: Any, says: str) -> None:
    body = json.dumps({"name": "Acme", field: value}).encode()
    problem = await refused(await as_("rep@vendor.example"), body, 422)
    assert problem["code"] == "invalid_input"
    assert problem["errors"][0]["pointer"].startswith(f"/{field}")
    assert says in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    "name", ["🚀 Rakete", "שלום עולם", "<script>alert(1)</script>", "O'Brien; DROP TABLE"]
)
async def test_every_script_and_sign_is_kept_as_it_is(as_: ClientFor, name: str) -> None:
    rep = await as_("rep@vendor.example")
    answer = await rep.post(ACCOUNTS, json={"name": name})
    assert answer.status_code == 201
    assert (await rep.get(answer.headers["location"])).json()["name"] == name


async def test_a_body_of_20_megabytes_is_refused_with_an_answer(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    body = b'{"name": "' + b"x" * 20_000_000 + b'"}'
    problem = await refused(rep, body, 413)
    assert problem["code"] == "too_large"

    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 1_000_000

    answer = await rep.post(ACCOUNTS, content=chunks(), headers=JSON)
    assert answer.status_code == 413


async def test_ids_and_searches_that_are_none(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    assert (await rep.get(f"{ACCOUNTS}/not-an-id")).status_code == 422
    assert (await rep.get(f"{ACCOUNTS}/%00")).status_code == 422
    assert (await rep.get(ACCOUNTS, params={"q": "\0"})).status_code == 422
    assert (await rep.get(ACCOUNTS, params={"q": "x" * 300})).status_code == 422
    assert (await rep.get(ACCOUNTS, params={"q": "'; --"})).status_code == 200


async def test_addresses_and_methods_that_are_none(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    missing = await rep.get("/api/v1/nothing")
    assert missing.status_code == 404
    assert missing.json()["code"] == "not_found"
    method = await rep.put(ACCOUNTS, json={})
    assert method.status_code == 405
    assert method.json()["code"] == "method_not_allowed"
    assert "GET" in method.headers["allow"]
