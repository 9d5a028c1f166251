"""Deals with deadlines, for tests of calendars: opened and worked over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from domain.playbook import Playbook
from domain.principal import Role
from tests.stack import ClientFor, People, Person

CLOSE = (datetime.now(UTC) + timedelta(days=120)).date()
"""When the deals of these tests are expected to be signed: after all of their deadlines."""


@dataclass(frozen=True)
class Diary:
    """Opens deals, and asks for calendars."""

    as_: ClientFor
    people: People
    playbook: Playbook

    async def rep(self) -> Person:
        """A sales rep who has nothing to do yet."""
        email = f"rep-{uuid4().hex[:8]}@vendor.example"
        self.people.known[email] = await self.people.add(email, Role.SALES_REP)
        return self.people.known[email]

    async def seller(self, organisation: str = "aster") -> Person:
        """One more seller of a partner."""
        email = f"seller-{uuid4().hex[:8]}@{organisation}.example"
        self.people.known[email] = await self.people.add(email, Role.PARTNER_SELLER)
        return self.people.known[email]

    async def open(self, by: Person, title: str, **changes: Any) -> Any:
        """A deal with Aster, by a rep who owns it: with two tasks, a stage target, a check-in and a close."""
        body = {
            "title": title,
            "customer": {"name": f"Customer {uuid4().hex[:8]}"},
            "expected_close": str(CLOSE),
            "playbook": self.playbook.key,
            "owner_id": str(by.id),
            "partners": [{"partner_id": str(self.people.aster.id), "role": "reseller"}],
        }
        client = await self.as_(by.email)
        answer = await client.post("/api/v1/opportunities", json={**body, **changes})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def due(self, who: Person, **query: Any) -> list[dict[str, Any]]:
        """All that the calendar says."""
        return await self._all(who, "/api/v1/calendar", query)

    async def work(self, who: Person) -> list[dict[str, Any]]:
        """All that waits for somebody."""
        return await self._all(who, "/api/v1/work", {})

    async def _all(self, who: Person, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """A list as the API answers it, page after page."""
        client = await self.as_(who.email)
        asked: dict[str, Any] = {"limit": 200, **query}
        items: list[dict[str, Any]] = []
        while True:
            answer = await client.get(path, params=asked)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            asked["cursor"] = page["next_cursor"]

    async def do(self, who: Person, deal: Any, what: str, **body: Any) -> Any:
        client = await self.as_(who.email)
        answer = await client.post(f"/api/v1/opportunities/{deal['id']}/{what}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def client(self, who: Person) -> httpx.AsyncClient:
        return await self.as_(who.email)
