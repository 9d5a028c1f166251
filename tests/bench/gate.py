"""From a decision to the deal's open gate, recorded and visible, against a bare Update on the same server.

    python -m tests.bench.gate [--rounds 60]

The deal stands in a stage that waits for its discount. The clock runs from sending the approval over HTTP
until the API says that the discount is granted. It is asked as a page asks: whenever something was recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from db import partners, people
from db.tables import User
from db.watch import TimelineWatch
from domain.principal import Role
from ops.keys import create_key
from runtime import aio
from runtime.ids import new_id
from tests.bench.bare import QUEUE, Bare
from tests.bench.caller import Caller
from tests.bench.commands import a_deal
from tests.bench.stack import Bench, bench_stack

DESK = "desk@vendor.example"
MOST = 4.0
"""How many bare Updates it may take."""
PATIENCE_SECONDS = 30.0
QUIET_SECONDS = 0.5
"""Before each of both: whoever decides has read the request first, and what its making set off has ended."""


@dataclass
class Gate:
    """Whoever asks (the stack's administrator) and whoever decides."""

    bench: Bench
    asker: Caller
    desk: Caller
    watch: TimelineWatch

    async def pending(self, number: int) -> tuple[str, str]:
        """A deal that waits for its discount: its address, and the approval's."""
        # A customer each: what is given away on a customer's other deals would count.
        opened = await a_deal(self.bench, f"Gate {number}", customer=f"Customer {number}")
        deal = f"/api/v1/opportunities/{opened}"
        wish = {"percent": "5", "reason": "A strategic account."}
        asked = await self.bench.http.post(f"{deal}/discounts", json=wish)
        asked.raise_for_status()
        return deal, f"/api/v1/approvals/{asked.json()['approval_id']}"

    async def opened(self, deal: str, approval: str) -> float:
        """Seconds from the decision to the deal that shows its grant."""
        seen = self.watch.wakes
        start = time.perf_counter()
        deciding = asyncio.create_task(self.desk.post(f"{approval}/approve", {}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            granted = False
            while not granted:
                await self.watch.wait(seen, PATIENCE_SECONDS)
                seen = self.watch.wakes
                granted = await self._is_granted(deal)
        seconds = time.perf_counter() - start
        await deciding
        return seconds

    async def _is_granted(self, deal: str) -> bool:
        shown = await self.asker.get(deal)
        return bool(shown["discount"]["granted_percent"] is not None)


async def measure(rounds: int) -> dict[str, Any]:
    async with bench_stack() as bench:
        watch = TimelineWatch(bench.settings.database_url or "")
        desk = await _desk(bench)
        gate = Gate(bench, Caller(bench.http), Caller(desk), watch)
        bare = await bench.temporal.start_workflow(Bare.run, id=f"bare-{uuid4()}", task_queue=QUEUE)
        opened, updates = [], []
        for number in range(rounds):
            deal, approval = await gate.pending(number)
            await asyncio.sleep(QUIET_SECONDS)
            start = time.perf_counter()
            await bare.execute_update(Bare.nothing, 1)
            updates.append(time.perf_counter() - start)
            await asyncio.sleep(QUIET_SECONDS)
            opened.append(await gate.opened(deal, approval))
        await desk.aclose()
        await watch.close()
    median, update = statistics.median(opened), statistics.median(updates)
    return {
        "rounds": rounds,
        "decision_to_gate_ms": round(median * 1000, 1),
        "bare_update_ms": round(update * 1000, 1),
        "ratio": round(median / update, 2),
        "at_most": MOST,
    }


async def _desk(bench: Bench) -> httpx.AsyncClient:
    """Somebody of the deal desk, with a key."""
    async with bench.database.transaction() as session:
        vendor = await partners.vendor(session)
        assert vendor is not None
        desk = User(
            id=new_id(), organisation_id=vendor.id, email=DESK, name="Dora Desk", roles=[Role.DEAL_DESK.value]
        )
        await people.add(session, desk)
    token = await create_key(bench.database, email=DESK, name="bench")
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=bench.settings.url, headers=headers, timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(aio.run(measure(arguments.rounds)), indent=2) + "\n")


if __name__ == "__main__":
    main()
