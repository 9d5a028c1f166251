"""A vendor whose deals follow the discount policy that ships, and requests on them, over the API.

desk = await a_desk(as_, database, people)
deal = await desk.open()
approval = await desk.pending(deal, "27.5")     # waits for the deal desk and finance
await desk.give("desk@vendor.example", approval, "approve", comment="Fine.")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from db import playbooks, policies
from db.session import Database
from domain.playbook import PlaybookDefinition
from domain.principal import Role
from ops.policies import shipped_policies
from runtime.policies import parse_policy
from tests.factories import a_playbook
from tests.patience import PATIENCE
from tests.stack import ClientFor, People

REP, DESK, DESK2 = "rep@vendor.example", "desk@vendor.example", "desk2@vendor.example"
FINANCE, DIRECTOR = "finance@vendor.example", "director@vendor.example"
SELLER, OTHER = "seller@aster.example", "seller@borealis.example"

KEY = "deal-desk"
ASKED = {"percent": "27.5", "reason": "A strategic account."}


@dataclass(frozen=True)
class DealDesk:
    """Opens deals, asks for discounts on them, and decides."""

    as_: ClientFor
    people: People

    async def open(self, by: str = "rep@vendor.example", **changes: Any) -> dict[str, Any]:
        body = {
            "title": "ERP rollout",
            "customer": {"name": f"Acme {uuid4().hex[:8]}"},
            "amount": {"amount": "250000.00", "currency": "USD"},
            "playbook": KEY,
            "partners": [{"partner_id": str(self.people.aster.id), "role": "reseller"}],
        }
        answer = await (await self.as_(by)).post("/api/v1/opportunities", json={**body, **changes})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def pending(
        self, deal: dict[str, Any], percent: str = "20", by: str = "rep@vendor.example", **more: Any
    ) -> dict[str, Any]:
        """A request for so much that waits for approval: the approval, as its requester sees it."""
        client = await self.as_(by)
        wanted = {**ASKED, "percent": percent, **more}
        answer = await client.post(f"/api/v1/opportunities/{deal['id']}/discounts", json=wanted)
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "pending", answer.text
        return await self.read({"id": answer.json()["approval_id"]}, by)

    async def asked(self, percent: str = "20", by: str = "rep@vendor.example") -> dict[str, Any]:
        """A pending request on a deal of its own."""
        return await self.pending(await self.open(by), percent, by)

    async def give(
        self, who: str, approval: dict[str, Any], verb: str, *, headers: Any = None, **body: Any
    ) -> httpx.Response:
        client = await self.as_(who)
        return await client.post(f"/api/v1/approvals/{approval['id']}/{verb}", json=body, headers=headers)

    async def done(self, who: str, approval: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
        """The request after a command that is taken."""
        answer = await self.give(who, approval, verb, **body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def read(self, approval: dict[str, Any], who: str = "desk@vendor.example") -> dict[str, Any]:
        answer = await (await self.as_(who)).get(f"/api/v1/approvals/{approval['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until(
        self, approval: dict[str, Any], reached: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The request, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.read(approval)
                if reached(found):
                    return found
                await asyncio.sleep(0.02)

    async def until_deal(
        self, deal: dict[str, Any], reached: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The deal, once it is so."""
        rep = await self.as_("rep@vendor.example")
        async with asyncio.timeout(PATIENCE):
            while True:
                found: dict[str, Any] = (await rep.get(f"/api/v1/opportunities/{deal['id']}")).json()
                if reached(found):
                    return found
                await asyncio.sleep(0.02)


async def a_desk(as_: ClientFor, database: Database, people: People) -> DealDesk:
    """The rules published, and everybody there who decides by them."""
    shipped = shipped_policies()[0].read_text().replace("key: standard\n", f"key: {KEY}\n")
    book = a_playbook(key=KEY, discount_policy=KEY).model_dump(exclude={"version"})
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await policies.publish(session, parse_policy(shipped), by=None, now=now)
        await playbooks.publish(session, PlaybookDefinition.model_validate(book), by=None, now=now)
    for email in ("desk@vendor.example", "finance@vendor.example", "director@vendor.example"):
        await people.of(email)
    if "desk2@vendor.example" not in people.known:
        people.known["desk2@vendor.example"] = await people.add("desk2@vendor.example", Role.DEAL_DESK)
    return DealDesk(as_, people)


def refused(answer: Any, status: int, code: str) -> str:
    """The sentence of a refusal."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    detail: str = answer.json()["detail"]
    return detail
