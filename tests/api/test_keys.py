"""API keys: each person's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col, select

from db.session import Database
from db.tables import ApiKey, IdempotentRequest
from tests.stack import ClientFor

KEYS = "/api/v1/keys"


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(KEYS),
        await client.post(KEYS, json={"name": "export"}),
        await client.delete(f"{KEYS}/{uuid4()}"),
    ):
        assert answer.status_code == 401


async def test_nobody_sees_or_revokes_the_keys_of_another_organisation(as_: ClientFor) -> None:
    aster, borealis = await as_("seller@aster.example"), await as_("seller@borealis.example")
    admin = await as_("admin@vendor.example")
    key = (await aster.post(KEYS, json={"name": "mine alone"})).json()
    for other in (borealis, admin):
        assert key["id"] not in {item["id"] for item in (await other.get(KEYS)).json()["items"]}
        assert (await other.delete(f"{KEYS}/{key['id']}")).status_code == 404


async def test_a_key_works_until_it_is_revoked(as_: ClientFor, client: httpx.AsyncClient) -> None:
    rep = await as_("rep@vendor.example")
    made = await rep.post(KEYS, json={"name": "nightly export"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()
    assert key["token"].startswith("tdm_")
    assert key["token"].startswith(key["hint"])
    bearer = {"Authorization": f"Bearer {key['token']}"}
    assert (await client.get("/api/v1/me", headers=bearer)).json()["email"] == "rep@vendor.example"
    listed = {item["id"]: item for item in (await rep.get(KEYS)).json()["items"]}[key["id"]]
    assert listed["last_used_at"] is not None
    assert key["token"] not in str(listed)
    assert (await rep.delete(f"{KEYS}/{key['id']}")).status_code == 204
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401
    assert (await rep.delete(f"{KEYS}/{key['id']}")).status_code == 404


async def test_a_key_expires(as_: ClientFor, client: httpx.AsyncClient, database: Database) -> None:
    rep = await as_("rep@vendor.example")
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    key = (await rep.post(KEYS, json={"name": "for an hour", "expires_at": soon})).json()
    bearer = {"Authorization": f"Bearer {key['token']}"}
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 200
    async with database.transaction() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(ApiKey).where(col(ApiKey.id) == key["id"]).values(expires_at=past))
    assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401


async def test_a_key_cannot_expire_in_the_past(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    for wrong in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2027-01-01T00:00:00", "tomorrow", 5):
        answer = await rep.post(KEYS, json={"name": "late", "expires_at": wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["pointer"] == "/expires_at"


async def test_a_wrong_key_says_so(client: httpx.AsyncClient) -> None:
    for value in ("Bearer tdm_nonsense", "Bearer", "Basic cmVwOnJlcA==", "tdm_x", "Bearer \xe9\xe9"):
        answer = await client.get("/api/v1/me", headers=[(b"authorization", value.encode("latin-1"))])
        assert answer.status_code == 401, value
        assert "API key" in answer.json()["detail"]


async def test_asking_twice_gives_the_same_key_and_keeps_no_secret(
    as_: ClientFor, database: Database
) -> None:
    rep, once = await as_("rep@vendor.example"), {"Idempotency-Key": str(uuid4())}
    first = await rep.post(KEYS, json={"name": "once"}, headers=once)
    second = await rep.post(KEYS, json={"name": "once"}, headers=once)
    assert first.json() == second.json()
    async with database.read() as session:
        statement = select(IdempotentRequest).where(col(IdempotentRequest.key) == once["Idempotency-Key"])
        kept = (await session.execute(statement)).scalar_one()
    assert kept.body is not None
    assert first.json()["token"].encode() not in kept.body
    bearer = {"Authorization": f"Bearer {first.json()['token']}"}
    elsewhere = await rep.post(KEYS, json={"name": "once"}, headers={**once, **bearer})
    assert elsewhere.status_code == 409
