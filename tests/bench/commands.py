"""What a command costs: through HTTP, checked, validated and recorded, against a bare Update.

    python -m tests.bench.commands [--rounds 300] [--clients 64] [--seconds 15]

Both kinds alternate in one run on one server, so that their ratio holds on any machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from runtime import aio
from tests.bench.bare import QUEUE, Bare
from tests.bench.caller import Caller
from tests.bench.stack import Bench, bench_stack


async def a_deal(bench: Bench, title: str, customer: str = "Acme") -> str:
    body = {
        "title": title,
        "customer": {"name": customer},
        "amount": {"amount": "250000.00", "currency": "USD"},
        "playbook": "it-software",
    }
    answer = await bench.http.post("/api/v1/opportunities", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def a_task(bench: Bench, deal: str) -> str:
    """A task of the vendor whose end neither moves the deal on nor the next deadline: the usual case."""
    tasks = (await bench.http.get(f"/api/v1/opportunities/{deal}/tasks")).json()["items"]
    ours = [task for task in tasks if task["side"] == "vendor"]
    return str(max(ours, key=lambda task: task["due_at"])["key"])


class Kinds:
    """The two things that are compared, each on workflows of its own: one for each client."""

    def __init__(self, bench: Bench, clients: int) -> None:
        self.bench = bench
        self.clients = clients
        self.deals: list[str] = []
        self.key = ""
        self.bares: list[Any] = []
        self.turns = [0] * clients
        self.callers = [Caller(bench.http) for _ in range(clients)]

    async def prepare(self) -> None:
        for number in range(self.clients):
            self.deals.append(await a_deal(self.bench, f"Deal {number}"))
            self.bares.append(
                await self.bench.temporal.start_workflow(Bare.run, id=f"bare-{uuid4()}", task_queue=QUEUE)
            )
        self.key = await a_task(self.bench, self.deals[0])

    async def command(self, client: int) -> None:
        """Complete a task, or reopen it: in turns."""
        act = "reopen" if self.turns[client] % 2 else "complete"
        self.turns[client] += 1
        path = f"/api/v1/opportunities/{self.deals[client]}/tasks/{self.key}/{act}"
        await self.callers[client].post(path, {} if act == "complete" else None)

    async def bare(self, client: int) -> None:
        await self.bares[client].execute_update(Bare.nothing, 1)


Act = Callable[[int], Awaitable[None]]


async def timed(act: Act, client: int) -> float:
    start = time.perf_counter()
    await act(client)
    return time.perf_counter() - start


async def latency(kinds: Kinds, rounds: int) -> dict[str, Any]:
    """Medians and 99th percentiles in milliseconds, one request at a time, the kinds in turns."""
    bare, command = [], []
    for round_ in range(rounds):
        client = round_ % kinds.clients
        bare.append(await timed(kinds.bare, client))
        command.append(await timed(kinds.command, client))
    return {
        "bare_ms": figures(bare),
        "command_ms": figures(command),
        "ratio_of_medians": round(statistics.median(command) / statistics.median(bare), 2),
    }


def figures(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": round(statistics.median(ordered) * 1000, 1),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
    }


async def rate(act: Act, clients: int, seconds: float) -> float:
    """Acts a second with so many clients at once."""
    ends = time.perf_counter() + seconds
    done = 0

    async def client(number: int) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await act(number)
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return done / (time.perf_counter() - start)


async def throughput(kinds: Kinds, seconds: float) -> dict[str, Any]:
    """Two rounds of each kind, in turns."""
    bare, command = [], []
    for _ in range(2):
        bare.append(await rate(kinds.bare, kinds.clients, seconds / 2))
        command.append(await rate(kinds.command, kinds.clients, seconds / 2))
    return {
        "clients": kinds.clients,
        "bare_per_second": round(statistics.mean(bare), 1),
        "commands_per_second": round(statistics.mean(command), 1),
        "share": round(statistics.mean(command) / statistics.mean(bare), 2),
    }


async def main(rounds: int, clients: int, seconds: float) -> None:
    async with bench_stack() as bench:
        kinds = Kinds(bench, clients)
        await kinds.prepare()
        await latency(kinds, 40)  # warms both up
        report = {"latency": await latency(kinds, rounds), "throughput": await throughput(kinds, seconds)}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=15)
    chosen = parser.parse_args()
    aio.run(main(chosen.rounds, chosen.clients, chosen.seconds))
