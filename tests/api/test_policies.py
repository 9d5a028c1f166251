"""Discount policies over HTTP: published in versions, refused with line and reason, tried on the past."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from ops.policies import shipped_policies
from tests.stack import ClientFor, People

POLICIES = "/api/v1/policies"
YAML = {"content-type": "application/yaml"}
EVERYBODY = (
    "desk@vendor.example",
    "finance@vendor.example",
    "director@vendor.example",
    "admin@vendor.example",
)


@pytest.fixture
async def admin(as_: ClientFor, people: People) -> httpx.AsyncClient:
    for email in EVERYBODY:
        await people.of(email)
    return await as_("admin@vendor.example")


def a_policy(key: str, **replaced: str) -> str:
    text = shipped_policies()[0].read_text().replace("key: standard\n", f"key: {key}\n")
    for old, new in replaced.items():
        text = text.replace(old.replace("_", " "), new)
    return text


def a_key() -> str:
    return f"policy-{uuid4().hex[:10]}"


async def test_a_policy_is_published_in_versions(admin: httpx.AsyncClient) -> None:
    key = a_key()
    first = await admin.post(POLICIES, content=a_policy(key), headers=YAML)
    assert first.status_code == 201, first.text
    again = await admin.post(POLICIES, content=a_policy(key), headers=YAML)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    text = a_policy(key).replace("gold: 15", "gold: 20")
    second = await admin.post(f"{POLICIES}/{key}/versions", content=text, headers=YAML)
    assert (second.status_code, second.json()["version"]) == (201, 2)
    assert (await admin.get(f"{POLICIES}/{key}")).json()["definition"]["standard"]["tiers"]["gold"] == "20"
    assert (await admin.get(f"{POLICIES}/{key}/versions/1")).json()["version"] == 1
    listed = (await admin.get(f"{POLICIES}/{key}/versions")).json()["items"]
    assert [each["version"] for each in listed] == [2, 1]
    assert key in {each["key"] for each in (await admin.get(POLICIES, params={"limit": 200})).json()["items"]}


async def test_the_same_policy_as_json_is_the_same_version(admin: httpx.AsyncClient) -> None:
    key = a_key()
    first = (await admin.post(POLICIES, content=a_policy(key), headers=YAML)).json()
    body: dict[str, Any] = {k: v for k, v in first["definition"].items() if k != "version"}
    again = await admin.post(f"{POLICIES}/{key}/versions", json=body)
    assert (again.status_code, again.json()["version"]) == (200, 1), again.text


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("discount.beyond > 0.0\n", "discount.beyond > \n", 15, "is not a CEL expression"),
        ("discount.beyond > 0.0\n", "discount.beyont > 0.0\n", 15, "did you mean beyond?"),
        ("discount.beyond > 0.0\n", "discount.beyond\n", 15, "must answer true or false"),
        ("[{role: finance}]", "[{person: nobody@vendor.example}]", 31, "none of the vendor's people"),
        ("[{role: finance}]", "[{rule: '[]'}]", 31, "nobody would be asked"),
        ("after: [deal-desk, finance]", "after: [legal]", 40, "there is no step 'legal'"),
        ("[deal.amount, margin.percent]", "[deal.amont]", 17, "there is no fact 'deal.amont'"),
        ("gold: 15", "gold: 101", 10, "at most 100"),
    ],
)
async def test_what_cannot_work_is_refused_with_its_line(
    admin: httpx.AsyncClient, old: str, new: str, line: int, said: str
) -> None:
    text = a_policy(a_key()).replace(old, new)
    refused = await admin.post(POLICIES, content=text, headers=YAML)
    assert refused.status_code == 422, refused.text
    problem = refused.json()["errors"][0]
    assert problem["line"] == line
    assert said in problem["detail"]


async def test_a_wrong_rule_in_json_is_refused_where_it_stands(admin: httpx.AsyncClient) -> None:
    step = {"key": "desk", "title": "Desk", "when": "deal.amont > 1.0", "approvers": [{"role": "deal_desk"}]}
    refused = await admin.post(POLICIES, json={"key": a_key(), "title": "Wrong", "steps": [step]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/steps/0/when"


async def test_partners_do_not_read_policies(as_: ClientFor, client: httpx.AsyncClient) -> None:
    seller = await as_("seller@aster.example")
    assert (await seller.get(POLICIES)).status_code == 403
    assert (await client.get(POLICIES)).status_code == 401


async def test_a_rep_reads_and_does_not_publish(as_: ClientFor) -> None:
    rep = await as_("rep@vendor.example")
    assert (await rep.get(POLICIES)).status_code == 200
    assert (await rep.post(POLICIES, content=a_policy(a_key()), headers=YAML)).status_code == 403
    assert (await rep.post(f"{POLICIES}/replay", content=a_policy(a_key()), headers=YAML)).status_code == 403


async def test_a_draft_is_tried_on_all_past_requests_and_not_kept(admin: httpx.AsyncClient) -> None:
    key = a_key()
    tried = await admin.post(f"{POLICIES}/replay", content=a_policy(key), headers=YAML)
    assert tried.status_code == 200, tried.text
    report = tried.json()
    assert report["more_approvals"] == report["approvals_after"] - report["approvals_before"]
    assert (await admin.get(f"{POLICIES}/{key}")).status_code == 404
