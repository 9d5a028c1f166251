"""Clients that behave well: each sends a command with a key, and repeats it until it is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from sqlalchemy import select
from sqlmodel import col

from db.session import Database
from db.tables import TimelineRow
from domain.playbook import Playbook
from runtime.ids import new_id
from tests.patience import PATIENCE
from tests.stack import NO_CERTIFICATES, People


class Killable(Protocol):
    async def start(self, *roles: str) -> None: ...

    async def kill(self, *roles: str) -> None: ...


@dataclass
class Answers:
    """What was answered so far; whoever waits for a number of answers is told."""

    versions: list[int] = field(default_factory=list)
    repeats: int = 0
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, version: int) -> None:
        async with self._more:
            self.versions.append(version)
            self._more.notify_all()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: len(self.versions) >= number)


@dataclass
class Site:
    """Where the crowd works."""

    processes: Killable
    database: Database
    people: People
    playbook: Playbook
    url: str

    @contextlib.asynccontextmanager
    async def client(self, email: str) -> AsyncIterator[httpx.AsyncClient]:
        person = await self.people.of(email)
        async with httpx.AsyncClient(headers=person.headers, timeout=15, verify=NO_CERTIFICATES) as client:
            yield client

    async def send(
        self, client: httpx.AsyncClient, path: str, body: dict[str, Any], answers: Answers | None = None
    ) -> Any:
        """Send a command, with one key, until it is answered; a refusal is a failure of the test."""
        key = {"Idempotency-Key": str(new_id())}
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.post(f"{self.url}{path}", json=body, headers=key)
                    if answer.status_code not in (502, 503):
                        break
                if answers:
                    answers.repeats += 1
                await asyncio.sleep(0.1)
        assert answer.is_success, answer.text
        deal = answer.json()
        if answers:
            await answers.add(deal["version"])
        return deal

    async def open(self, title: str) -> str:
        """A deal of the vendor and Aster; its path."""
        body = {
            "title": title,
            "customer": {"name": "Acme"},
            "amount": {"amount": "250000.00", "currency": "USD"},
            "expected_close": "2055-03-31",
            "playbook": self.playbook.key,
            "partners": [{"partner_id": str(self.people.aster.id), "role": "reseller"}],
        }
        async with self.client("rep@vendor.example") as rep:
            return f"/opportunities/{(await self.send(rep, '/opportunities', body))['id']}"

    async def crowd(self, deals: list[str], answers: Answers, *, notes: int) -> list[str]:
        """Six people write so many notes each, at once, over all deals; the texts."""

        async def write(number: int, client: httpx.AsyncClient) -> list[str]:
            texts = [f"Note {note} of person {number}." for note in range(notes)]
            for note, text in enumerate(texts):
                deal = deals[(number + note) % len(deals)]
                await self.send(client, f"{deal}/check-ins", {"note": text}, answers)
            return texts

        async with self.client("rep@vendor.example") as rep, self.client("seller@aster.example") as seller:
            written = await asyncio.gather(*(write(n, rep if n % 2 else seller) for n in range(6)))
        return [text for texts in written for text in texts]

    async def story(self, deal: str) -> list[TimelineRow]:
        rows = select(TimelineRow).where(col(TimelineRow.stream_id) == deal.rpartition("/")[2])
        async with self.database.read() as session:
            return list((await session.execute(rows.order_by(col(TimelineRow.sequence)))).scalars())

    async def demand_once(self, deals: list[str], texts: list[str], answers: Answers) -> None:
        """Every command is in the timeline exactly once, and each deal's sequence has no gap."""
        told: Counter[str] = Counter()
        for deal in deals:
            rows = await self.story(deal)
            assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
            told.update(row.data["note"] for row in rows if row.data.get("note"))
        assert told == Counter(texts)
        assert len(answers.versions) == len(texts)

    async def hand_over(self, deal: str) -> None:
        """Both sides work the deal to its end."""
        async with (
            self.client("rep@vendor.example") as rep,
            self.client("seller@aster.example") as seller,
            self.client("success@vendor.example") as success,
        ):

            async def do(who: httpx.AsyncClient, what: str) -> Any:
                return await self.send(who, f"{deal}/{what}", {})

            await do(rep, "tasks/confirm-budget/complete")
            await do(seller, "tasks/share-profile/complete")
            await do(rep, "advance")
            await do(rep, "tasks/write-agenda/complete")
            await do(seller, "tasks/invite-customer/complete")
            await do(rep, "tasks/run-demo/complete")
            await do(rep, "advance")
            await do(seller, "advance")
            await do(rep, "tasks/sign-contract/complete")
            await do(rep, "win")
            await do(rep, "tasks/plan-onboarding/complete")
            assert (await do(success, "handoff/accept"))["status"] == "handed_off"


async def meanwhile(work: Awaitable[list[str]], disaster: Callable[[], Awaitable[None]]) -> list[str]:
    """The work's result, while the disaster happens."""
    task = asyncio.ensure_future(work)
    try:
        await disaster()
        return await task
    finally:
        task.cancel()
