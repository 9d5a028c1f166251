"""Who am I?"""

from __future__ import annotations

import httpx

from tests.stack import ClientFor


async def test_anonymous_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    problem = answer.json()
    assert problem["code"] == "unauthenticated"
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_vendor_rep_is_told_who_she_is_and_what_she_may_do(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    me = (await rep.get("/api/v1/me")).json()
    assert me["email"] == "rep@vendor.example"
    assert me["side"] == "vendor"
    assert me["organisation"]["name"] == "Vendor"
    assert me["roles"] == ["sales_rep"]
    assert "opportunity.open" in me["can"]
    assert "playbook.publish" not in me["can"]


async def test_a_partner_does_not_see_another_organisation(as_: ClientFor) -> None:
    aster = (await (await as_("seller@aster.example")).get("/api/v1/me")).json()
    assert aster["side"] == "partner"
    assert aster["organisation"]["name"] == "Aster Integrators"
    assert "Borealis" not in str(aster)
    assert "Vendor" not in str(aster)
