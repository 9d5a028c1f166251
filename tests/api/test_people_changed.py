"""Who is asked follows the people: away and back, gone, and everybody gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from db import playbooks, policies
from domain.playbook import PlaybookDefinition
from domain.principal import Role
from runtime.policies import parse_policy
from tests.factories import a_playbook
from tests.patience import PATIENCE
from tests.stack import ClientFor, People, Person

pytestmark = pytest.mark.usefixtures("worker")

POLICY = """
key: {key}
title: Somebody decides
standard:
  tiers: {{gold: 15}}
steps:
  - key: somebody
    title: Somebody
    when: discount.beyond > 0.0
    when_in_words: More than the standard
    approvers: [{{{first}}}]
    due: 8bh
    escalate: [{{to: {{{second}}}}}]
"""


@dataclass
class Asked:
    """A request that waits for Dora; if she is gone, for Emil. Dirk is there to stand in."""

    rep: httpx.AsyncClient
    approval: str
    dora: Person
    dirk: Person
    emil: Person

    async def now(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.rep.get(self.approval)).json()
        return found

    async def until_asked(self, *people: Person) -> list[dict[str, Any]]:
        """The approvers, once they are these."""
        wanted = {str(person.id) for person in people}
        return await self._until(lambda seats: {seat["id"] for seat in seats} == wanted)

    async def _until(self, reached: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE):
            while True:
                seats: list[dict[str, Any]] = (await self.now())["steps"][0]["approvers"]
                if reached(seats):
                    return seats
                await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def asked(as_: ClientFor, people: People) -> Asked:
    cast = [f"{name}-{uuid4().hex[:8]}@vendor.example" for name in ("dora", "dirk", "emil")]
    for email in cast:
        people.known[email] = await people.add(email, Role.CUSTOMER_SUCCESS)
    dora, dirk, emil = (people.known[email] for email in cast)
    rep = await as_("rep@vendor.example")
    approval = await a_request(rep, people, first=f"person: {dora.email}", second=f"person: {emil.email}")
    found = Asked(rep, approval, dora, dirk, emil)
    await found.until_asked(dora)
    return found


async def a_request(rep: httpx.AsyncClient, people: People, **whom: str) -> str:
    """The address of a request by a policy of its own, which asks whom it says."""
    key = f"people-{uuid4().hex[:8]}"
    policy = parse_policy(POLICY.format(key=key, **whom))
    book = a_playbook(key=key, discount_policy=key).model_dump(exclude={"version"})
    now = datetime.now(UTC)
    async with people.database.transaction() as session:
        await policies.publish(session, policy, by=None, now=now)
        await playbooks.publish(session, PlaybookDefinition.model_validate(book), by=None, now=now)
    body = {
        "title": "ERP rollout",
        "customer": {"name": f"Acme {uuid4()}"},
        "amount": {"amount": "250000.00", "currency": "USD"},
        "playbook": key,
        "partners": [{"partner_id": str(people.aster.id), "role": "reseller"}],
    }
    opened = await rep.post("/api/v1/opportunities", json=body)
    assert opened.status_code == 201, opened.text
    where = f"/api/v1/opportunities/{opened.json()['id']}/discounts"
    discount = await rep.post(where, json={"percent": "20", "reason": "A strategic account."})
    assert discount.status_code == 201, discount.text
    return f"/api/v1/approvals/{discount.json()['approval_id']}"


async def test_the_stand_in_is_asked_while_somebody_is_away_and_then_she_again(
    as_: ClientFor, asked: Asked
) -> None:
    dora, dirk = await as_(asked.dora.email), await as_(asked.dirk.email)
    made = (await dora.post("/api/v1/delegations", json={"to": str(asked.dirk.id)})).json()
    [seat] = await asked.until_asked(asked.dirk)
    assert seat["stands_in_for"]["id"] == str(asked.dora.id)
    assert (await dora.delete(f"/api/v1/delegations/{made['id']}")).status_code == 204
    [seat] = await asked.until_asked(asked.dora)
    assert seat["stands_in_for"] is None
    late = await dirk.post(f"{asked.approval}/approve", json={})
    assert late.status_code in {403, 409}
    assert (await dora.post(f"{asked.approval}/approve", json={})).status_code == 200


async def test_who_stands_in_decides_and_the_timeline_says_for_whom(as_: ClientFor, asked: Asked) -> None:
    dora, dirk = await as_(asked.dora.email), await as_(asked.dirk.email)
    await dora.post("/api/v1/delegations", json={"to": str(asked.dirk.id)})
    await asked.until_asked(asked.dirk)
    decided = await dirk.post(f"{asked.approval}/approve", json={"comment": "Fine."})
    assert decided.status_code == 200, decided.text
    assert decided.json()["state"] == "approved"
    [decision] = decided.json()["steps"][0]["decisions"]
    assert decision["by"]["id"] == str(asked.dirk.id)
    assert decision["stands_in_for"]["id"] == str(asked.dora.id)


async def test_when_the_approver_leaves_the_next_is_asked(as_: ClientFor, asked: Asked) -> None:
    admin = await as_("admin@vendor.example")
    gone = await admin.patch(f"/api/v1/users/{asked.dora.id}", json={"active": False})
    assert gone.status_code == 200
    await asked.until_asked(asked.emil)


async def test_who_comes_back_is_asked_again(as_: ClientFor, asked: Asked) -> None:
    admin = await as_("admin@vendor.example")
    await admin.patch(f"/api/v1/users/{asked.dora.id}", json={"active": False})
    await asked.until_asked(asked.emil)
    await admin.patch(f"/api/v1/users/{asked.dora.id}", json={"active": True})
    await asked.until_asked(asked.dora, asked.emil)


async def test_who_owns_the_deal_by_now_does_not_decide_on_it(as_: ClientFor, asked: Asked) -> None:
    deal = f"/api/v1/opportunities/{(await asked.now())['subject']['opportunity_id']}"
    for owner, sits in ((asked.dora, asked.emil), (asked.emil, asked.dora)):
        given = await asked.rep.patch(deal, json={"owner_id": str(owner.id)})
        assert given.status_code == 200, given.text
        refused = await (await as_(owner.email)).post(f"{asked.approval}/approve", json={})
        assert refused.status_code == 403, refused.text
        await until_seated(asked.rep, asked.approval, sits, but_not=owner)


async def test_who_gains_the_role_is_asked_as_well(as_: ClientFor, people: People) -> None:
    rep, admin = await as_("rep@vendor.example"), await as_("admin@vendor.example")
    desk, late = await people.of("desk@vendor.example"), f"fay-{uuid4().hex[:8]}@vendor.example"
    approval = await a_request(rep, people, first="role: deal_desk", second="role: finance")
    await until_seated(rep, approval, desk)
    known = await people.add(late, Role.SALES_REP)
    changed = await admin.patch(f"/api/v1/users/{known.id}", json={"roles": ["sales_rep", "deal_desk"]})
    assert changed.status_code == 200
    await until_seated(rep, approval, desk, known)
    body: dict[str, Any] = {"email": f"new-{late}", "name": "Newcomer", "roles": ["deal_desk"]}
    assert (await admin.post("/api/v1/users", json=body)).status_code == 201
    await until_seated(rep, approval, await people.key_for(body["email"]))


async def until_seated(
    client: httpx.AsyncClient, approval: str, *wanted: Person, but_not: Person | None = None
) -> None:
    """Wait until these people are among those who are asked, and one is not."""
    async with asyncio.timeout(PATIENCE):
        while True:
            now = await seated(client, approval)
            if {str(each.id) for each in wanted} <= now and (but_not is None or str(but_not.id) not in now):
                return
            await asyncio.sleep(0.02)


async def seated(client: httpx.AsyncClient, approval: str) -> set[str]:
    steps: list[dict[str, Any]] = (await client.get(approval)).json()["steps"]
    return {seat["id"] for seat in steps[0]["approvers"]}


async def test_the_request_waits_for_somebody_when_all_have_left(as_: ClientFor, asked: Asked) -> None:
    admin = await as_("admin@vendor.example")
    await admin.patch(f"/api/v1/users/{asked.dora.id}", json={"active": False})
    await admin.patch(f"/api/v1/users/{asked.emil.id}", json={"active": False})
    await until_seated(asked.rep, asked.approval, but_not=asked.dora)
    await until_seated(asked.rep, asked.approval, but_not=asked.emil)
    assert await seated(asked.rep, asked.approval)
    assert (await asked.now())["state"] == "pending"
