"""One's own working time: what everybody may say of herself, by API and by page."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from domain.principal import Role
from tests.stack import ClientFor, People, Person

USERS = "/api/v1/users"
PAGE = "/working-time"


async def a_person(people: People, organisation: str = "vendor") -> Person:
    role = Role.CUSTOMER_SUCCESS if organisation == "vendor" else Role.PARTNER_SELLER
    email = f"{uuid4().hex}@{organisation}.example"
    people.known[email] = await people.add(email, role)
    return people.known[email]


async def test_everybody_says_when_she_works_herself(as_: ClientFor, people: People) -> None:
    for organisation in ("vendor", "aster"):
        person = await a_person(people, organisation)
        mine = await as_(person.email)
        changed = await mine.patch(f"{USERS}/{person.id}", json={"time_zone": "Asia/Tokyo", "country": "JP"})
        assert changed.status_code == 200
        assert (changed.json()["time_zone"], changed.json()["country"]) == ("Asia/Tokyo", "JP")


async def test_the_rest_and_other_people_are_for_administrators(as_: ClientFor, people: People) -> None:
    person, other = await a_person(people), await a_person(people)
    mine = await as_(person.email)
    for body in ({"name": "King"}, {"roles": ["admin"]}, {"manager_id": None}, {"active": True}):
        refused = await mine.patch(f"{USERS}/{person.id}", json={"time_zone": "UTC", **body})
        assert refused.status_code == 403
        assert f"for {next(iter(body))}, ask an administrator" in refused.json()["detail"]
    assert (await mine.patch(f"{USERS}/{other.id}", json={"time_zone": "UTC"})).status_code == 403


async def test_a_stranger_is_sent_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(PAGE, headers={"Accept": "text/html"}),
        await client.post(PAGE, headers={"Accept": "text/html"}),
    ):
        assert answer.status_code == 303


async def test_the_page_shows_what_holds_and_keeps_what_is_typed(as_: ClientFor, people: People) -> None:
    person = await a_person(people)
    page, where = await as_(person.email), f"{USERS}/{person.id}"
    shown = (await page.get(PAGE)).text
    assert shown.count('value="09:00-17:00"') == 5
    assert 'value="UTC"' in shown
    typed = {
        "_key": uuid4().hex,
        "_version": "1",
        "time_zone": "Europe/Berlin",
        "country": "de",
        "region": "BY",
        "working_hours_mon": "9:00 – 12:30, 13:30-17:00",
        "working_hours_tue": "",
        "working_hours_sat": "22:00-24:00",
    }
    kept = await page.post(PAGE, data=typed)
    assert (kept.status_code, kept.headers["location"]) == (303, PAGE)
    user = (await page.get(where)).json()
    assert (user["time_zone"], user["country"], user["region"]) == ("Europe/Berlin", "DE", "BY")
    assert user["working_hours"] == {"mon": ["09:00-12:30", "13:30-17:00"], "sat": ["22:00-24:00"]}
    assert 'value="09:00-12:30, 13:30-17:00"' in (await page.get(PAGE)).text
    office = {f"working_hours_{day}": "09:00-17:00" for day in ("mon", "tue", "wed", "thu", "fri")}
    await page.post(PAGE, data={"_key": uuid4().hex, "time_zone": "Europe/Berlin", **office})
    user = (await page.get(where)).json()
    assert (user["country"], user["region"], user["working_hours"]) == (None, None, None)


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"time_zone": "Mars"}, "time_zone", "is no time zone"),
        ({"time_zone": ""}, "time_zone", "is no time zone"),
        ({"country": "XX"}, "country", "This is no country"),
        ({"country": "DE", "region": "XX"}, "region", "DE has no region XX"),
        ({"working_hours_mon": "nine to five"}, "working_hours_mon", "are no hours"),
        ({"working_hours_mon": ""}, "working_hours", "hours for at least one day"),
    ],
)
async def test_what_is_not_right_is_said_beside_its_field(
    as_: ClientFor, people: People, typed: dict[str, str], field: str, sentence: str
) -> None:
    page = await as_((await a_person(people)).email)
    good = {"_key": uuid4().hex, "time_zone": "UTC", "working_hours_mon": "09:00-17:00"}
    refused = await page.post(PAGE, data=good | typed)
    assert refused.status_code == 422
    assert f'id="{field}-wrong"' in refused.text
    assert sentence in refused.text


async def test_what_somebody_else_changed_meanwhile_is_not_lost(as_: ClientFor, people: People) -> None:
    person, admin = await a_person(people), await as_("admin@vendor.example")
    page = await as_(person.email)
    await admin.patch(f"{USERS}/{person.id}", json={"country": "FR"})
    typed = {"_key": uuid4().hex, "time_zone": "UTC", "working_hours_mon": "09:00-17:00"}
    stale = await page.post(PAGE, data={**typed, "_version": "1"})
    assert stale.status_code == 412
    assert "version 2 now" in stale.text
    assert (await page.get(f"{USERS}/{person.id}")).json()["country"] == "FR"
