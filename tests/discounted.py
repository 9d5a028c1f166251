"""A deal that follows the discount policy that ships, and the people around it, over the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.patience import PATIENCE
from tests.stack import People


@dataclass
class Desk:
    """A deal of Acme's with Aster (gold), and the people around it."""

    rep: httpx.AsyncClient
    seller: httpx.AsyncClient
    desk: httpx.AsyncClient
    finance: httpx.AsyncClient
    director: httpx.AsyncClient
    people: People
    at: str

    async def ask(self, percent: str, who: httpx.AsyncClient | None = None, **body: Any) -> httpx.Response:
        wanted = {"percent": percent, "reason": "A strategic account.", **body}
        return await (who or self.rep).post(f"{self.at}/discounts", json=wanted)

    async def asked(self, percent: str, who: httpx.AsyncClient | None = None, **body: Any) -> dict[str, Any]:
        answer = await self.ask(percent, who, **body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def deal(self, who: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await (who or self.rep).get(self.at)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def latest(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.rep.get(f"{self.at}/discounts")).json()["items"][0]
        return found

    async def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest discount, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.latest()
                if reached(found):
                    return found
                await asyncio.sleep(0.02)

    async def approve(self, who: httpx.AsyncClient, approval_id: str) -> None:
        answer = await who.post(f"/api/v1/approvals/{approval_id}/approve", json={"comment": "Go."})
        assert answer.status_code == 200, answer.text

    async def granted(self, percent: str) -> dict[str, Any]:
        """A discount that the deal desk has approved."""
        asked = await self.asked(percent)
        await self.approve(self.desk, asked["approval_id"])
        return await self.until(lambda found: found["state"] == "granted")

    async def change(self, **values: Any) -> None:
        answer = await self.rep.patch(self.at, json=values)
        assert answer.status_code == 200, answer.text

    async def blockers(self, who: httpx.AsyncClient | None = None) -> dict[str, dict[str, Any]]:
        found = (await (who or self.rep).get(f"{self.at}/blockers")).json()["items"]
        return {each["code"]: each for each in found}

    async def advance(self) -> httpx.Response:
        return await self.rep.post(f"{self.at}/advance")
