"""The same request twice is one change."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest

from tests.stack import ClientFor

ACCOUNTS = "/api/v1/accounts"


@pytest.fixture
def once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def count(rep: httpx.AsyncClient, name: str) -> int:
    return len((await rep.get(ACCOUNTS, params={"q": name})).json()["items"])


async def test_anonymous_gets_no_answer_of_somebody_else(
    as_: ClientFor, client: httpx.AsyncClient, once: dict[str, str]
) -> None:
    rep = await as_("rep@vendor.example")
    body = {"name": "Private"}
    assert (await rep.post(ACCOUNTS, json=body, headers=once)).status_code == 201
    assert (await client.post(ACCOUNTS, json=body, headers=once)).status_code == 401


async def test_a_key_does_not_see_another_organisation(as_: ClientFor, once: dict[str, str]) -> None:
    aster, borealis = await as_("seller@aster.example"), await as_("seller@borealis.example")
    first = await aster.post("/api/v1/keys", json={"name": "mine"}, headers=once)
    second = await borealis.post("/api/v1/keys", json={"name": "mine"}, headers=once)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] != second.json()["id"]


async def test_a_repeated_request_gets_the_first_answer(as_: ClientFor, once: dict[str, str]) -> None:
    rep, name = await as_("rep@vendor.example"), uuid4().hex
    first = await rep.post(ACCOUNTS, json={"name": name}, headers=once)
    await rep.patch(first.headers["location"], json={"industry": "changed meanwhile"})
    second = await rep.post(ACCOUNTS, json={"name": name}, headers=once)
    assert second.status_code == 201
    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await count(rep, name) == 1


async def test_the_same_key_for_another_request_is_refused(as_: ClientFor, once: dict[str, str]) -> None:
    rep = await as_("rep@vendor.example")
    await rep.post(ACCOUNTS, json={"name": "one"}, headers=once)
    for path, body in ((ACCOUNTS, {"name": "two"}), ("/api/v1/keys", {"name": "one"})):
        answer = await rep.post(path, json=body, headers=once)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_key_reused"


async def test_eight_at_once_are_one_change(as_: ClientFor, once: dict[str, str]) -> None:
    rep, name = await as_("rep@vendor.example"), uuid4().hex
    answers = await asyncio.gather(*(rep.post(ACCOUNTS, json={"name": name}, headers=once) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(rep, name) == 1


async def test_after_a_refusal_the_key_is_free(as_: ClientFor, once: dict[str, str]) -> None:
    rep = await as_("rep@vendor.example")
    assert (await rep.post(ACCOUNTS, json={"nom": "Acme"}, headers=once)).status_code == 422
    assert (await rep.post(ACCOUNTS, content=b"{", headers=once)).status_code == 415
    assert (await rep.post(ACCOUNTS, json={"name": "Acme"}, headers=once)).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
async def test_a_key_that_is_none_is_refused(as_: ClientFor, key: str) -> None:
    rep = await as_("rep@vendor.example")
    headers = [(b"idempotency-key", key.encode("latin-1")), (b"content-type", b"application/json")]
    answer = await rep.post(ACCOUNTS, content=b'{"name": "Acme"}', headers=headers)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
