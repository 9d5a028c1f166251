"""Partners: the organisations that the vendor sells with."""

from __future__ import annotations

from uuid import uuid4

import httpx

from tests.stack import ClientFor, People

PARTNERS = "/api/v1/partners"


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(PARTNERS),
        await client.post(PARTNERS, json={"name": "Cirrus"}),
        await client.get(f"{PARTNERS}/{uuid4()}"),
        await client.patch(f"{PARTNERS}/{uuid4()}", json={}),
    ):
        assert answer.status_code == 401


async def test_a_partner_does_not_see_another_organisation(as_: ClientFor, people: People) -> None:
    seller = await as_("seller@aster.example")
    assert [item["name"] for item in (await seller.get(PARTNERS)).json()["items"]] == ["Aster Integrators"]
    assert (await seller.get(f"{PARTNERS}/{people.aster.id}")).status_code == 200
    other = await seller.get(f"{PARTNERS}/{people.borealis.id}")
    unknown = await seller.get(f"{PARTNERS}/{uuid4()}")
    assert other.status_code == unknown.status_code == 404
    assert other.json()["detail"] == unknown.json()["detail"]
    assert (await seller.patch(f"{PARTNERS}/{people.aster.id}", json={"tier": "gold"})).status_code == 403


async def test_the_vendor_is_no_partner(as_: ClientFor, people: People) -> None:
    rep = await as_("rep@vendor.example")
    names = [item["name"] for item in (await rep.get(PARTNERS)).json()["items"]]
    assert {"Aster Integrators", "Borealis Systems"} <= set(names)
    assert "Vendor" not in names
    assert (await rep.get(f"{PARTNERS}/{people.vendor.id}")).status_code == 404


async def test_an_administrator_adds_and_changes_a_partner(as_: ClientFor) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(PARTNERS, json={"name": "Cirrus", "domain": "cirrus.example", "country": "FR"})
    assert answer.status_code == 201
    assert answer.json()["tier"] == "registered"
    assert answer.json()["status"] == "active"
    address = answer.headers["location"]
    changed = await admin.patch(
        address, json={"tier": "silver"}, headers={"If-Match": answer.headers["etag"]}
    )
    assert changed.json()["tier"] == "silver"
    assert changed.headers["etag"] == '"2"'
    stale = await admin.patch(address, json={"tier": "gold"}, headers={"If-Match": answer.headers["etag"]})
    assert stale.status_code == 412


async def test_a_rep_may_look_but_not_change(as_: ClientFor, people: People) -> None:
    rep = await as_("rep@vendor.example")
    assert (await rep.post(PARTNERS, json={"name": "Cirrus"})).status_code == 403
    refused = await rep.patch(f"{PARTNERS}/{people.aster.id}", json={"tier": "silver"})
    assert refused.status_code == 403
    assert refused.json()["code"] == "forbidden"


async def test_people_of_an_inactive_partner_stay_outside(as_: ClientFor, people: People) -> None:
    admin = await as_("admin@vendor.example")
    answer = await admin.post(PARTNERS, json={"name": "Dorado", "domain": "dorado.example"})
    seller = {
        "email": "seller@dorado.example",
        "name": "Dora",
        "roles": ["partner_seller"],
        "organisation_id": answer.json()["id"],
    }
    assert (await admin.post("/api/v1/users", json=seller)).status_code == 201
    person = await people.key_for("seller@dorado.example")
    me = await admin.get("/api/v1/me", headers=person.headers)
    assert me.json()["organisation"]["name"] == "Dorado"
    await admin.patch(answer.headers["location"], json={"status": "inactive"})
    assert (await admin.get("/api/v1/me", headers=person.headers)).status_code == 401


async def test_lists_filter_by_tier_and_name(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    gold = (await rep.get(PARTNERS, params={"tier": "gold"})).json()["items"]
    assert {item["tier"] for item in gold} == {"gold"}
    found = (await rep.get(PARTNERS, params={"q": "BOREALIS", "status": "active"})).json()["items"]
    assert [item["name"] for item in found] == ["Borealis Systems"]
    assert (await rep.get(PARTNERS, params={"q": "100%_"})).json()["items"] == []
    assert (await rep.get(PARTNERS, params={"tier": "platinum"})).status_code == 422
