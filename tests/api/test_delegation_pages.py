"""The page “Out of office”, as a browser without scripts uses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx

from domain.principal import Role
from tests.stack import ClientFor, People, Person

PAGE = "/delegations"
API = "/api/v1/delegations"


async def a_person(people: People, name: str, *roles: Role, organisation: str = "vendor") -> Person:
    email = f"{name}-{uuid4().hex[:8]}@{organisation}.example"
    people.known[email] = await people.add(email, *(roles or (Role.CUSTOMER_SUCCESS,)))
    return people.known[email]


def form(**typed: object) -> dict[str, str]:
    return {"_key": uuid4().hex, **{name: str(value) for name, value in typed.items()}}


def today() -> datetime:
    return datetime.now(UTC)


async def test_a_stranger_is_sent_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(PAGE, headers={"Accept": "text/html"}),
        await client.get(f"{PAGE}/new", headers={"Accept": "text/html"}),
        await client.post(f"{PAGE}/new", headers={"Accept": "text/html"}),
        await client.post(f"{PAGE}/{uuid4()}/end", headers={"Accept": "text/html"}),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")


async def test_i_say_who_stands_in_and_that_i_am_back(as_: ClientFor, people: People) -> None:
    dora, dirk = await a_person(people, "dora"), await a_person(people, "dirk")
    page = await as_(dora.email)
    assert "Nobody is away" in (await page.get(PAGE)).text
    assert dirk.name in (await page.get(f"{PAGE}/new")).text
    last = (today() + timedelta(days=7)).date()
    made = await page.post(f"{PAGE}/new", data=form(to=dirk.id, ends_at=last, reason="Summer holidays"))
    assert (made.status_code, made.headers["location"]) == (303, PAGE)
    shown = (await page.get(PAGE)).text
    for words in (dirk.name, "Summer holidays", "Away now", "I am back", f"{last + timedelta(days=1)}"):
        assert words in shown
    [kept] = (await page.get(API)).json()["items"]
    ended = await page.post(f"{PAGE}/{kept['id']}/end", data=form())
    assert (ended.status_code, ended.headers["location"]) == (303, PAGE)
    assert "Nobody is away" in (await page.get(PAGE)).text
    assert "Summer holidays" in (await page.get(PAGE, params={"over": "true"})).text
    again = await page.post(f"{PAGE}/{kept['id']}/end", data=form())
    assert again.status_code == 303, "a second click finds it ended"


async def test_days_are_those_of_the_persons_own_time_zone(as_: ClientFor, people: People) -> None:
    dora, dirk = await a_person(people, "dora"), await a_person(people, "dirk")
    admin, page = await as_("admin@vendor.example"), await as_(dora.email)
    await admin.patch(f"/api/v1/users/{dora.id}", json={"time_zone": "Asia/Tokyo"})
    assert "Asia/Tokyo" in (await page.get(f"{PAGE}/new")).text
    first = (today() + timedelta(days=3)).date()
    last = first + timedelta(days=1)
    await page.post(f"{PAGE}/new", data=form(to=dirk.id, starts_at=first, ends_at=last))
    [kept] = (await page.get(API)).json()["items"]
    begins = datetime.combine(first, datetime.min.time(), ZoneInfo("Asia/Tokyo"))
    assert datetime.fromisoformat(kept["starts_at"]) == begins
    assert datetime.fromisoformat(kept["ends_at"]) == begins + timedelta(days=2)
    shown = (await page.get(PAGE)).text
    assert f'datetime="{first}"' in shown
    assert f'datetime="{last + timedelta(days=1)}"' in shown
    assert "Call off" in shown


async def test_a_form_that_is_not_right_says_where(as_: ClientFor, people: People) -> None:
    dora, dirk = await a_person(people, "dora"), await a_person(people, "dirk")
    page = await as_(dora.email)
    first = (today() + timedelta(days=3)).date()
    for typed, field, sentence in (
        ({}, "to", "This field is required."),
        ({"to": dora.id}, "to", "Nobody stands in for oneself; choose somebody else."),
        ({"to": dirk.id, "starts_at": "soon"}, "starts_at", "This must be a date such as"),
        (
            {"to": dirk.id, "starts_at": first, "ends_at": first - timedelta(days=1)},
            "ends_at",
            "The end has to be later than the start.",
        ),
    ):
        refused = await page.post(f"{PAGE}/new", data=form(**typed, reason="Away & gone"))
        assert refused.status_code == 422
        assert f'id="{field}-wrong"' in refused.text, typed
        assert sentence in refused.text
        assert "Away &amp; gone" in refused.text, "what was typed is still there"


async def test_a_form_sent_twice_is_one_delegation(as_: ClientFor, people: People) -> None:
    dora, dirk = await a_person(people, "dora"), await a_person(people, "dirk")
    page, typed = await as_(dora.email), form(to=dirk.id)
    for _ in range(2):
        assert (await page.post(f"{PAGE}/new", data=typed)).status_code == 303
    assert len((await page.get(API)).json()["items"]) == 1


async def test_an_administrator_speaks_for_others_and_nobody_else_does(
    as_: ClientFor, people: People
) -> None:
    dora, dirk = await a_person(people, "dora"), await a_person(people, "dirk")
    admin, page = await as_("admin@vendor.example"), await as_(dirk.email)
    assert "Who is away" in (await admin.get(f"{PAGE}/new")).text
    assert "Who is away" not in (await page.get(f"{PAGE}/new")).text
    refused = await page.post(f"{PAGE}/new", data=form(to=dirk.id, user_id=dora.id))
    assert refused.status_code == 403
    assert "for others, ask an administrator" in refused.text
    made = await admin.post(f"{PAGE}/new", data=form(to=dirk.id, user_id=dora.id, reason="Ill"))
    assert made.status_code == 303
    shown = (await page.get(PAGE)).text
    assert dora.name in shown
    assert "/end" not in shown, "who stands in cannot end it"
    [kept] = (await page.get(API)).json()["items"]
    assert (await admin.post(f"{PAGE}/{kept['id']}/end", data=form())).status_code == 303
    assert "Nobody is away" in (await page.get(PAGE)).text


async def test_a_partner_sees_neither_other_absences_nor_other_people(as_: ClientFor, people: People) -> None:
    paul = await a_person(people, "paul", Role.PARTNER_SELLER, organisation="aster")
    boris = await a_person(people, "boris", Role.PARTNER_SELLER, organisation="borealis")
    bella = await a_person(people, "bella", Role.PARTNER_SELLER, organisation="borealis")
    await (await as_(boris.email)).post(f"{PAGE}/new", data=form(to=bella.id, reason="Secret trip"))
    page = await as_(paul.email)
    assert "Secret trip" not in (await page.get(PAGE)).text
    assert boris.name not in (await page.get(f"{PAGE}/new")).text
