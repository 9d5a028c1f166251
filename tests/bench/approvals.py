"""What requests cost: events of the pure approval, and the memory of many with running clocks.

python -m tests.bench.approvals [--seconds 3] [--requests 500]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client

from domain.approval import commands as ask
from domain.approval.agenda import fall_due
from domain.approval.draft import ApprovalOutcome
from domain.approval.resolve import Resolution, resolve
from domain.approval.rules import decide, resolved, submit, to_resolve
from runtime import aio
from runtime.sandbox import ContextFreeSandboxRunner
from runtime.settings import Settings
from runtime.temporal_client import connect, ensure_search_attributes
from runtime.temporal_server import embedded_temporal
from tests.approvals import CHAIN, DIANA, DORA, FRED, MONDAY, OFFICE, RITA, actor, judge, submission
from tests.workflows.play_approval import Bureau, Request
from workflows.approval import ApprovalWorkflow

SUBMIT = submission(*CHAIN)
BY_RITA, BY_DORA, BY_FRED, BY_DIANA = (actor(each) for each in (RITA, DORA, FRED, DIANA))
APPROVE = ask.Approve()
REQUESTS = {each.name: ask.Request(command=APPROVE, by=each) for each in (BY_DORA, BY_FRED, BY_DIANA)}


class Answers:
    """The directory's answers, each asked for once: it is the approval that is measured here."""

    def __init__(self) -> None:
        self._known: dict[str, Resolution] = {}

    def open(self, outcome: ApprovalOutcome, stage: str) -> ApprovalOutcome:
        wants = to_resolve(outcome.approval, MONDAY)
        if wants is None:
            return outcome
        if stage not in self._known:
            self._known[stage] = resolve(wants, OFFICE, judge)
        return resolved(outcome.approval, self._known[stage], MONDAY)


def lives(answers: Answers) -> Iterator[int]:
    """How many events each move brings: one request after another is asked, reminded and approved."""
    while True:
        outcome = submit(SUBMIT, MONDAY, BY_RITA)
        yield len(outcome.entries)
        outcome = answers.open(outcome, "first")
        yield len(outcome.entries)
        reminded = fall_due(outcome.approval, MONDAY + timedelta(hours=4))
        yield len(reminded.entries)
        for name in ("Fred Finance", "Dora Desk"):
            outcome = decide(reminded.approval, REQUESTS[name], MONDAY)
            yield len(outcome.entries)
            reminded = outcome
        outcome = answers.open(outcome, "director")
        yield len(outcome.entries)
        outcome = decide(outcome.approval, REQUESTS["Diana Director"], MONDAY)
        yield len(outcome.entries)


def pure(seconds: float) -> dict[str, Any]:
    """Events a second of one process, decided and applied, each with its words."""
    gc.set_threshold(aio.GARBAGE)  # as in every process of ours
    answers, events = Answers(), 0
    began, of_processor = time.perf_counter(), time.process_time()
    taken = 0.0
    for more in lives(answers):
        events += more
        taken = time.perf_counter() - began
        if taken > seconds:
            break
    used = time.process_time() - of_processor
    return {
        "events": events,
        "per_second": round(events / taken),
        "per_second_of_processor": round(events / used),
    }


async def memory(requests: int) -> dict[str, Any]:
    """Bytes of this worker's memory for each request that waits on its clocks, all of them cached."""
    with tempfile.TemporaryDirectory() as home:
        async with embedded_temporal(Path(home)) as address:
            return await _memory(await connect(Settings(home=Path(home), temporal_address=address)), requests)


async def _memory(client: Client, requests: int) -> dict[str, Any]:
    await ensure_search_attributes(client)
    bureau = Bureau()
    cached = {"max_cached_workflows": requests + 50, "workflow_runner": ContextFreeSandboxRunner()}
    async with Request(client, bureau=bureau).worker(**cached):
        await many(client, bureau, 20)  # what is loaded once
        before = resident()
        await many(client, bureau, requests)
        grown = resident() - before
    return {"requests": requests, "mb": round(grown / 1e6, 1), "kb_each": round(grown / 1e3 / requests)}


async def many(client: Client, bureau: Bureau, count: int) -> None:
    gate = asyncio.Semaphore(8)

    async def one() -> None:
        async with gate:
            request = Request(client, bureau=bureau)
            await request.start(datetime.now(UTC), *CHAIN)
            await request.handle.execute_update(ApprovalWorkflow.submitted)

    await asyncio.gather(*(one() for _ in range(count)))


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--requests", type=int, default=500)
    chosen = parser.parse_args()
    report = {"pure": pure(chosen.seconds), "memory": aio.run(memory(chosen.requests))}
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
