"""Signing in and out of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from api import sessions
from api.limits import SIGN_IN_LIMITS, SignInThrottle
from db.session import Database
from db.tables import UserSession
from domain.errors import TooManyRequests, Unauthenticated
from domain.principal import Role
from runtime import tokens
from tests.stack import PASSWORD, ClientFor, People, Person


@pytest.fixture
async def person(people: People) -> Person:
    return await people.add(f"{uuid4().hex}@vendor.example", Role.SALES_REP, password=PASSWORD)


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{sessions.COOKIE}={token}"}


async def sign_in(database: Database, email: str, password: str = PASSWORD) -> str:
    return await sessions.sign_in(
        database, SignInThrottle(), email=email, password=password, address="127.0.0.1"
    )


async def test_anonymous_has_no_session(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/me", headers=cookie("made-up"))).status_code == 401


async def test_a_session_does_not_see_another_organisation(
    client: httpx.AsyncClient, database: Database, people: People
) -> None:
    seller = await people.add(f"{uuid4().hex}@aster.example", Role.PARTNER_SELLER, password=PASSWORD)
    token = await sign_in(database, seller.email)
    partners = await client.get("/api/v1/partners", headers=cookie(token))
    assert [item["name"] for item in partners.json()["items"]] == ["Aster Integrators"]


async def test_a_person_signs_in_and_out(
    client: httpx.AsyncClient, database: Database, person: Person
) -> None:
    token = await sign_in(database, f"  {person.email.upper()} ")
    assert (await client.get("/api/v1/me", headers=cookie(token))).json()["id"] == str(person.id)
    await sessions.sign_out(database, token)
    assert (await client.get("/api/v1/me", headers=cookie(token))).status_code == 401
    await sessions.sign_out(database, token)


@pytest.mark.parametrize(
    ("role", "wanted", "arrives"),
    [
        (Role.DEAL_DESK, None, "/approvals"),
        (Role.DEAL_DESK, "/", "/approvals"),
        (Role.DEAL_DESK, "/pipeline", "/pipeline"),
        (Role.SALES_REP, None, "/"),
    ],
)
async def test_the_deal_desk_begins_with_its_approvals(
    client: httpx.AsyncClient, people: People, role: Role, wanted: str | None, arrives: str
) -> None:
    email = f"{uuid4().hex}@vendor.example"
    await people.add(email, role, password=PASSWORD)
    typed = {"email": email, "password": PASSWORD} | ({"next": wanted} if wanted else {})
    answer = await client.post("/sign-in", data=typed)
    client.cookies.clear()
    assert (answer.status_code, answer.headers["location"]) == (303, arrives)


@pytest.mark.parametrize("email", [None, "nobody@vendor.example", "nul\0@vendor.example", "", "\ud800"])
async def test_every_refusal_says_the_same(database: Database, person: Person, email: str | None) -> None:
    with pytest.raises(Unauthenticated, match="The e-mail address or the password is not right"):
        await sign_in(database, person.email if email is None else email, "not the password")


async def test_who_has_no_password_cannot_sign_in(database: Database, people: People) -> None:
    someone = await people.of("finance@vendor.example")
    with pytest.raises(Unauthenticated):
        await sign_in(database, someone.email)


async def test_guessing_is_slow(database: Database, person: Person) -> None:
    throttle = SignInThrottle()
    for _ in range(SIGN_IN_LIMITS["person"].amount):
        await throttle.attempt(person.email, str(uuid4()))
    with pytest.raises(TooManyRequests) as refusal:
        await sessions.sign_in(database, throttle, email=person.email.upper(), password=PASSWORD)
    assert 0 < refusal.value.extra["retry_after"] <= 300
    address = str(uuid4())
    for _ in range(SIGN_IN_LIMITS["address"].amount):
        await throttle.attempt(str(uuid4()), address)
    with pytest.raises(TooManyRequests):
        await throttle.attempt(str(uuid4()), address)


async def test_a_session_lasts_while_it_is_used(
    client: httpx.AsyncClient, database: Database, person: Person
) -> None:
    token = await sign_in(database, person.email)
    mine = col(UserSession.token_hash) == tokens.digest(token)
    async with database.transaction() as session:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        long_ago = soon - timedelta(days=1)
        await session.execute(update(UserSession).where(mine).values(last_used_at=long_ago, expires_at=soon))
    assert (await client.get("/api/v1/me", headers=cookie(token))).status_code == 200
    async with database.read() as session:
        kept = (await session.execute(select(UserSession).where(mine))).scalar_one()
    assert kept.expires_at > datetime.now(UTC) + timedelta(days=13)
    async with database.transaction() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(UserSession).where(mine).values(expires_at=past))
    assert (await client.get("/api/v1/me", headers=cookie(token))).status_code == 401


async def test_a_new_password_ends_all_sessions(
    as_: ClientFor, client: httpx.AsyncClient, database: Database, person: Person
) -> None:
    admin = await as_("admin@vendor.example")
    token = await sign_in(database, person.email)
    await admin.patch(f"/api/v1/users/{person.id}", json={"password": "another long password"})
    assert (await client.get("/api/v1/me", headers=cookie(token))).status_code == 401
    assert await sign_in(database, person.email, "another long password")


async def test_a_password_that_is_set_for_somebody_revokes_the_keys(
    as_: ClientFor, client: httpx.AsyncClient, person: Person
) -> None:
    admin = await as_("admin@vendor.example")
    assert (await client.get("/api/v1/me", headers=person.headers)).status_code == 200
    await admin.patch(f"/api/v1/users/{person.id}", json={"name": "Another"})
    assert (await client.get("/api/v1/me", headers=person.headers)).status_code == 200
    await admin.patch(f"/api/v1/users/{person.id}", json={"password": "another long password"})
    assert (await client.get("/api/v1/me", headers=person.headers)).status_code == 401


async def test_keys_stay_revoked_when_somebody_comes_back(
    as_: ClientFor, client: httpx.AsyncClient, person: Person
) -> None:
    admin = await as_("admin@vendor.example")
    for active in (False, True):
        changed = await admin.patch(f"/api/v1/users/{person.id}", json={"active": active})
        assert changed.json()["active"] is active
    assert (await client.get("/api/v1/me", headers=person.headers)).status_code == 401


async def test_ones_own_new_password_ends_ones_other_sessions_and_nothing_else(
    client: httpx.AsyncClient, database: Database, people: People
) -> None:
    admin = await people.add(f"{uuid4().hex}@vendor.example", Role.ADMIN, password=PASSWORD)
    here, elsewhere = [await sign_in(database, admin.email) for _ in range(2)]
    answer = await client.patch(
        f"/api/v1/users/{admin.id}", json={"password": "another long password"}, headers=cookie(here)
    )
    assert answer.status_code == 200
    assert (await client.get("/api/v1/me", headers=cookie(here))).status_code == 200
    assert (await client.get("/api/v1/me", headers=admin.headers)).status_code == 200
    assert (await client.get("/api/v1/me", headers=cookie(elsewhere))).status_code == 401


async def test_another_site_cannot_use_a_session(
    client: httpx.AsyncClient, database: Database, person: Person
) -> None:
    token = await sign_in(database, person.email)
    for forged in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = await client.post(
            "/api/v1/accounts", json={"name": "Forged"}, headers={**cookie(token), **forged}
        )
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
    own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    answer = await client.post("/api/v1/accounts", json={"name": "Own"}, headers={**cookie(token), **own})
    assert answer.status_code == 201
