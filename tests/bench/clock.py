"""Many live deals with running clocks on one worker: memory, a cold start, a burst of timers, their lateness.

    python -m tests.bench.clock [--deals 10000] [--burst 1000] [--idle 30]

The burst is of deals whose task is due in the same second. The idle ones are due one after the other,
while nothing else happens. How late a timer was is read from the timeline: when the deal said it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import text
from temporalio.client import WorkflowHandle

from db import opportunity, playbooks
from domain.opportunity import commands as ask
from domain.opportunity.draft import Outcome
from domain.opportunity.rules import decide, open_deal
from domain.opportunity.state import Customer
from domain.playbook import Playbook
from domain.principal import SYSTEM, Side
from runtime import aio, processes
from runtime.ids import new_id
from tests.bench.stack import Bench, bench_stack
from workflows.messages import Start, workflow_id
from workflows.opportunity import OpportunityWorkflow

AT_ONCE = 32
PORTION = 200
PATIENCE_SECONDS = 900.0
IDLE_EVERY = timedelta(seconds=2)
CACHED = 1000
"""Workflows that a worker keeps in memory, by default; the others are read again when something happens."""
_SAID = text(
    "SELECT extract(epoch FROM t.at - (t.data->>'due_at')::timestamptz) AS late, t.at "
    "FROM timeline t WHERE t.type = 'fell_due' AND t.stream_id = ANY(:ids)"
)


def a_deal(book: Playbook, title: str, due_at: datetime | None = None) -> Outcome:
    """A deal that was just opened, with a task due at that instant besides what its playbook brings."""
    now = datetime.now(UTC)
    command = ask.Open(id=new_id(), title=title, customer=Customer(name="Acme"), playbook=book)
    outcome = open_deal(command, now, SYSTEM)
    if due_at is None:
        return outcome
    task = ask.AddTask(title="Call back", side=Side.VENDOR, due_at=due_at)
    more = decide(outcome.opportunity, ask.Request(command=task, by=SYSTEM), now)
    return Outcome(opportunity=more.opportunity, entries=outcome.entries + more.entries)


async def begin(bench: Bench, outcomes: Sequence[Outcome]) -> None:
    """Record them and let their clocks run."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(outcome: Outcome) -> None:
        async with gate:
            await bench.temporal.start_workflow(
                OpportunityWorkflow.run,
                Start(opportunity=outcome.opportunity),
                id=workflow_id(outcome.opportunity.id),
                task_queue=bench.settings.task_queue,
            )

    for first in range(0, len(outcomes), PORTION):
        portion = outcomes[first : first + PORTION]
        async with bench.database.transaction() as session:
            await opportunity.record_many(session, portion)
        await asyncio.gather(*(one(outcome) for outcome in portion))


def ids_of(outcomes: Sequence[Outcome]) -> list[UUID]:
    return [outcome.opportunity.id for outcome in outcomes]


async def said(bench: Bench, ids: Sequence[UUID]) -> list[tuple[float, datetime]]:
    """How many seconds late each deal said that its task was due, and when it did."""
    async with bench.database.read() as session:
        rows = (await session.execute(_SAID, {"ids": list(ids)})).all()
    return [(float(row.late), row.at) for row in rows]


async def all_said(bench: Bench, ids: Sequence[UUID]) -> list[tuple[float, datetime]]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await said(bench, ids)
            if len(found) >= len(ids):
                return found
            await asyncio.sleep(0.5)


async def quiet(worker: processes.Child) -> None:
    """Until the worker has nothing to do any more: under a tenth of a processor for two seconds."""
    process = psutil.Process(worker.pid)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            before = sum(process.cpu_times()[:2])
            await asyncio.sleep(2)
            if sum(process.cpu_times()[:2]) - before < 0.2:
                return


@contextlib.asynccontextmanager
async def a_worker(bench: Bench) -> AsyncIterator[processes.Child]:
    settings = bench.settings
    env = {
        "TANDEM_HOME": str(settings.home),
        "TANDEM_DATABASE_URL": str(settings.database_url),
        "TANDEM_TEMPORAL_ADDRESS": str(settings.temporal_address),
        "TANDEM_LOG_LEVEL": "warning",
    }
    child = await processes.start([sys.executable, "-m", "cli", "worker"], name="worker", env=env)
    async with processes.running(child):
        yield child


def megabytes(worker: processes.Child) -> float:
    return float(psutil.Process(worker.pid).memory_info().rss) / 1e6


async def warm(bench: Bench, book: Playbook, worker: processes.Child) -> None:
    """Whatever is loaded once is loaded."""
    few = [a_deal(book, f"Warm {number}") for number in range(20)]
    await begin(bench, few)
    for each in few:
        await bench.temporal.get_workflow_handle_for(
            OpportunityWorkflow.run, workflow_id(each.opportunity.id)
        ).query(OpportunityWorkflow.opportunity)
    await quiet(worker)


async def many(bench: Bench, book: Playbook, count: int) -> tuple[dict[str, Any], UUID]:
    """So many live deals; answers what they cost, and one of them."""
    async with a_worker(bench) as worker:
        await warm(bench, book, worker)
        before, began = megabytes(worker), time.perf_counter()
        deals = [a_deal(book, f"Live {number}") for number in range(count)]
        await begin(bench, deals)
        started = time.perf_counter() - began
        await quiet(worker)
        grown = megabytes(worker) - before
    return {
        "deals": count,
        "started_per_second": round(count / started),
        "worker_grew_mb": round(grown, 1),
        "cached": min(count, CACHED),
        "kb_per_cached_deal": round(1000 * grown / min(count, CACHED)),
        "kb_per_live_deal": round(1000 * grown / count, 1),
    }, deals[0].opportunity.id


async def cold(bench: Bench, deal: UUID) -> dict[str, Any]:
    """A worker that starts with all of them waiting: until it answers for a deal that it has never seen."""
    began = time.perf_counter()
    async with a_worker(bench):
        handle: WorkflowHandle[OpportunityWorkflow, None] = bench.temporal.get_workflow_handle_for(
            OpportunityWorkflow.run, workflow_id(deal)
        )
        await handle.query(OpportunityWorkflow.opportunity, rpc_timeout=timedelta(seconds=60))
        taken = time.perf_counter() - began
    return {"seconds": round(taken, 2)}


async def burst(bench: Bench, book: Playbook, count: int) -> dict[str, Any]:
    """So many timers of one second."""
    async with a_worker(bench) as worker:
        due = datetime.now(UTC) + timedelta(seconds=max(30, count // 12))
        deals = [a_deal(book, f"Burst {number}", due) for number in range(count)]
        await begin(bench, deals)
        await quiet(worker)
        ahead = (due - datetime.now(UTC)).total_seconds()
        found = await all_said(bench, ids_of(deals))
    late = sorted(seconds for seconds, _ in found)
    return {
        "timers": count,
        "set_in_time": ahead > 0,
        "each_said_once": len(found) == count,
        "per_second": round(count / late[-1]) if late[-1] > 0 else None,
        "lateness_median_s": round(statistics.median(late), 2),
        "lateness_worst_s": round(late[-1], 2),
    }


async def idle(bench: Bench, book: Playbook, count: int) -> dict[str, Any]:
    """Timers that fire while nothing else happens."""
    async with a_worker(bench) as worker:
        first = datetime.now(UTC) + timedelta(seconds=20)
        deals = [a_deal(book, f"Idle {number}", first + number * IDLE_EVERY) for number in range(count)]
        await begin(bench, deals)
        await quiet(worker)
        found = await all_said(bench, ids_of(deals))
    late = sorted(seconds for seconds, _ in found)
    return {
        "timers": count,
        "lateness_median_s": round(statistics.median(late), 3),
        "lateness_worst_s": round(late[-1], 3),
    }


async def measured(deals: int, timers: int, idlers: int) -> dict[str, Any]:
    async with bench_stack(workers=False) as bench:
        async with bench.database.read() as session:
            book = await playbooks.latest(session, "it-software")
        live, one = await many(bench, book, deals)
        cold_start = await cold(bench, one)
        return {
            "live": live,
            "cold_start": cold_start,
            "burst": await burst(bench, book, timers),
            "idle": await idle(bench, book, idlers),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=10_000)
    parser.add_argument("--burst", type=int, default=1_000)
    parser.add_argument("--idle", type=int, default=30)
    chosen = parser.parse_args()
    report = aio.run(measured(chosen.deals, chosen.burst, chosen.idle))
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
