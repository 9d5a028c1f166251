"""People: the vendor's, and each partner's own."""

from __future__ import annotations

from uuid import uuid4

import httpx

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
