"""People: the vendor's, and each partner's own."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.stack import PASSWORD, ClientFor, People

USERS = "/api/v1/users"


def colleague(domain: str = "aster.example", **fields: object) -> dict[str, object]:
    return {"email": f"{uuid4().hex}@{domain}", "name": "Alex", "roles": ["partner_seller"], **fields}


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(USERS),
        await client.post(USERS, json=colleague()),
        await client.get(f"{USERS}/{uuid4()}"),
        await client.patch(f"{USERS}/{uuid4()}", json={}),
    ):
        assert answer.status_code == 401


async def test_a_partner_does_not_see_another_organisation(as_: ClientFor, people: People) -> None:
    seller = await as_("seller@aster.example")
    stranger = await people.of("seller@borealis.example")
    rep = await people.of("rep@vendor.example")
    listed = (await seller.get(USERS)).json()["items"]
    assert {item["organisation"]["name"] for item in listed} == {"Aster Integrators"}
    for person in (stranger, rep):
        assert (await seller.get(f"{USERS}/{person.id}")).status_code == 404
        assert (await seller.get(USERS, params={"q": person.email})).json()["items"] == []
        found = await seller.get(USERS, params={"organisation_id": str(person.organisation_id)})
        assert found.json()["items"] == []


async def test_a_partner_admin_manages_her_own_team_only(as_: ClientFor, people: People) -> None:
    lead = await as_("lead@aster.example")
    made = await lead.post(USERS, json=colleague())
    assert made.status_code == 201
    assert made.json()["organisation"]["name"] == "Aster Integrators"
    elsewhere = await lead.post(USERS, json=colleague(organisation_id=str(people.borealis.id)))
    assert elsewhere.status_code == 404
    stranger = await people.of("seller@borealis.example")
    assert (await lead.patch(f"{USERS}/{stranger.id}", json={"name": "Mine"})).status_code == 404
    renamed = await lead.patch(made.headers["location"], json={"name": "Alexandra"})
    assert renamed.json()["name"] == "Alexandra"


async def test_nobody_learns_which_addresses_other_organisations_use(as_: ClientFor, people: People) -> None:
    lead = await as_("lead@aster.example")
    known = await people.of("seller@borealis.example")
    taken = await lead.post(USERS, json={**colleague(), "email": known.email})
    free = await lead.post(USERS, json=colleague("borealis.example"))
    assert taken.status_code == free.status_code == 422
    assert taken.json()["errors"] == free.json()["errors"]


async def test_an_address_is_used_once_whatever_its_case(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    first = colleague("vendor.example", roles=["sales_rep"])
    assert (await admin.post(USERS, json=first)).status_code == 201
    again = await admin.post(USERS, json={**first, "email": str(first["email"]).upper()})
    assert again.status_code == 409
    assert again.json()["code"] == "already_exists"


async def test_a_seller_may_not_add_people(as_: ClientFor) -> None:
    for email in ("seller@aster.example", "rep@vendor.example", "director@vendor.example"):
        assert (await (await as_(email)).post(USERS, json=colleague())).status_code == 403


async def test_roles_are_those_of_the_side(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    wrong = await admin.post(USERS, json=colleague("vendor.example"))
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/roles"
    lead = await as_("lead@aster.example")
    higher = await lead.post(USERS, json=colleague(roles=["admin"]))
    assert higher.status_code == 422
    seller = await people.of("seller@aster.example")
    raised = await lead.patch(f"{USERS}/{seller.id}", json={"roles": ["partner_seller", "admin"]})
    assert raised.status_code == 422
    assert (await admin.post(USERS, json=colleague(roles=[]))).status_code == 422
    assert (await admin.post(USERS, json=colleague(roles=["king"]))).status_code == 422


async def test_nobody_locks_herself_out(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    me = await people.of("admin@vendor.example")
    assert (await admin.patch(f"{USERS}/{me.id}", json={"active": False})).status_code == 409
    assert (await admin.patch(f"{USERS}/{me.id}", json={"roles": ["sales_rep"]})).status_code == 409


async def test_who_is_let_go_is_outside_at_once(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    made = (await admin.post(USERS, json=colleague("vendor.example", roles=["sales_rep"]))).json()
    person = await people.key_for(made["email"])
    assert (await admin.get("/api/v1/me", headers=person.headers)).status_code == 200
    gone = await admin.patch(f"{USERS}/{made['id']}", json={"active": False})
    assert gone.json()["active"] is False
    assert (await admin.get("/api/v1/me", headers=person.headers)).status_code == 401
    active = (await admin.get(USERS, params={"q": made["email"], "active": True})).json()["items"]
    assert active == []


async def test_a_password_is_never_shown_and_never_short(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    fields = colleague("vendor.example", roles=["sales_rep"])
    made = await admin.post(USERS, json={**fields, "password": PASSWORD})
    assert made.status_code == 201
    assert "password" not in made.text
    short = await admin.patch(made.headers["location"], json={"password": "short"})
    assert short.status_code == 422
    assert short.json()["errors"][0]["pointer"] == "/password"
    assert "short" not in short.json()["errors"][0]["detail"]


async def test_null_is_not_a_name(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    someone = await people.of("rep2@vendor.example")
    for field in ("name", "roles", "active", "password"):
        answer = await admin.patch(f"{USERS}/{someone.id}", json={field: None})
        assert answer.status_code == 422, field


async def test_a_person_works_in_a_zone_with_holidays_hours_and_a_manager(
    as_: ClientFor, people: People
) -> None:
    admin, boss = await as_("admin@vendor.example"), await people.of("director@vendor.example")
    working = {
        "manager_id": str(boss.id),
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "region": "BY",
        "working_hours": {"mon": ["13:00-17:00", "09:00-12:00"], "fri": ["09:00-13:00"]},
    }
    fields = colleague("vendor.example", roles=["customer_success"])
    made = await admin.post(USERS, json={**fields, **working})
    assert made.status_code == 201, made.text
    working["working_hours"] = {"mon": ["09:00-12:00", "13:00-17:00"], "fri": ["09:00-13:00"]}
    read = await admin.get(made.headers["location"])
    assert read.json() == made.json()
    assert {name: read.json()[name] for name in working} == working
    cleared = await admin.patch(
        made.headers["location"],
        json={"working_hours": None, "manager_id": None, "region": None, "country": None},
        headers={"If-Match": read.headers["etag"]},
    )
    assert cleared.headers["etag"] == '"2"'
    assert [cleared.json()[name] for name in working] == [None, "Europe/Berlin", None, None, None]
    stale = await admin.patch(
        made.headers["location"], json={"time_zone": "UTC"}, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412


async def test_who_says_nothing_of_working_time_works_by_utc(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    made = (await admin.post(USERS, json=colleague("vendor.example", roles=["customer_success"]))).json()
    fields = ("manager_id", "time_zone", "country", "region", "working_hours")
    assert [made[name] for name in fields] == [None, "UTC", None, None, None]


@pytest.mark.parametrize(
    ("wrong", "pointer", "sentence"),
    [
        ({"time_zone": "Mars"}, "/time_zone", "'Mars' is no time zone; write a name of the IANA list"),
        ({"time_zone": None}, "/time_zone", "This must be text."),
        ({"country": "XX"}, "/country", "This is no country; send an ISO 3166 code"),
        ({"country": "DE", "region": "XX"}, "/region", "DE has no region XX with holidays of its own"),
        ({"region": "BY"}, "/region", "A region needs its country; send both, or neither."),
        ({"working_hours": {}}, "/working_hours", "write hours for at least one day"),
        ({"working_hours": {"mon": ["9-5"]}}, "/working_hours/mon", "'9-5' are no hours; write them as in"),
        ({"working_hours": {"day": ["09:00-17:00"]}}, "/working_hours/day", "This must be '"),
        ({"working_hours": {"mon": ["09:00-12:00", "10:00-13:00"]}}, "/working_hours/mon", "overlap"),
        ({"working_hours": {"mon": 9}}, "/working_hours/mon", "This must be a list."),
    ],
)
async def test_working_time_that_makes_no_sense_is_refused_in_words(
    as_: ClientFor, people: People, wrong: dict[str, object], pointer: str, sentence: str
) -> None:
    admin, someone = await as_("admin@vendor.example"), await people.of("rep2@vendor.example")
    fields = colleague("vendor.example", roles=["sales_rep"])
    for answer in (
        await admin.post(USERS, json={**fields, **wrong}),
        await admin.patch(f"{USERS}/{someone.id}", json=wrong),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert sentence in answer.json()["errors"][0]["detail"]


async def test_a_region_stays_one_of_its_country(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    fields = colleague("vendor.example", roles=["sales_rep"], country="DE", region="BY")
    where = (await admin.post(USERS, json=fields)).headers["location"]
    moved = await admin.patch(where, json={"country": "US"})
    assert moved.json()["errors"][0]["pointer"] == "/region"
    assert (await admin.patch(where, json={"country": None})).status_code == 422
    both = await admin.patch(where, json={"country": "US", "region": "CA"})
    assert (both.json()["country"], both.json()["region"]) == ("US", "CA")


async def test_a_manager_is_a_colleague_and_nobody_below(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    made = [
        (await admin.post(USERS, json=colleague("vendor.example", roles=["sales_rep"]))).json()
        for _ in range(3)
    ]
    one, two, three = (person["id"] for person in made)
    assert (await admin.patch(f"{USERS}/{one}", json={"manager_id": two})).json()["manager_id"] == two
    assert (await admin.patch(f"{USERS}/{two}", json={"manager_id": three})).status_code == 200
    stranger = await people.of("seller@aster.example")
    for manager, sentence in (
        (one, "This would run in a ring (Alex → Alex → Alex → Alex); choose somebody else."),
        (three, "Nobody is one's own manager"),
        (str(stranger.id), "A manager has to be a person of the same organisation."),
        (str(uuid4()), "A manager has to be a person of the same organisation."),
    ):
        refused = await admin.patch(f"{USERS}/{three}", json={"manager_id": manager})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/manager_id"
        assert refused.json()["detail"].startswith(sentence)
    gone = await admin.patch(f"{USERS}/{three}", json={"active": False})
    assert gone.status_code == 200
    late = await admin.post(USERS, json=colleague("vendor.example", roles=["sales_rep"], manager_id=three))
    assert late.json()["detail"] == "Alex is no longer here; choose somebody else."
