"""Stages begin and end, and what the playbook says happens by itself: on a real server, with a receiver."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from activities.triggers import TriggerActivities
from domain.approval.state import ApprovalState
from domain.notice import NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity.draft import TimelineEntry
from domain.opportunity.state import LoseReason
from domain.playbook import Playbook
from runtime.ids import new_id
from runtime.settings import Settings
from tests.factories import NOW, a_playbook, a_stage, a_task
from tests.patience import PATIENCE
from tests.receiver import SECRET, Receiver, receiving
from tests.replay.make import impatient
from tests.workflows.play import Ledger, Played, a_worker, refused
from workflows.approval_messages import approval_workflow_id

CHILD = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED


def book(url: str = "https://hooks.example/x") -> Playbook:
    """Two stages; the second asks for everything that a trigger can."""
    return a_playbook(
        stages=[
            a_stage("talk", a_task("call")),
            a_stage(
                "show",
                a_task("demo"),
                on_enter=[
                    {"task": a_task("book-room", due="1d")},
                    {"notify": {"to": "partners", "words": "Bring your engineer."}},
                    {"approval": {"title": "Solution review", "role": "sales_director", "due": "1bd"}},
                    {"campaign": {"key": "demo-guests", "step": "invite"}},
                    {"webhook": {"url": url, "event": "deal.demo_began"}},
                    {"when": "deal.amount > 1000000.0", "task": a_task("ask-the-board")},
                ],
            ),
            a_stage("close", a_task("sign")),
        ]
    )


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as told:
        yield told


@contextlib.asynccontextmanager
async def playing(server: WorkflowEnvironment, home: Path, **settings: Any) -> AsyncIterator[Played]:
    """A deal, and a worker that calls webhooks with these settings."""
    calling = TriggerActivities(Settings(home=home, webhook_secret=SECRET, **settings)).call_webhook
    played = Played(server.client, queue=f"triggers-{new_id()}")
    async with a_worker(server.client, played.queue, Ledger(), played.heard, also=[calling]):
        yield played


async def enter_show(deal: Played, url: str) -> None:
    await deal.open(playbook=book(url))
    await deal.complete("call")
    await deal.ask(ask.Advance())


async def test_all_that_a_stage_asks_for_happens_once(
    server: WorkflowEnvironment, tmp_path: Path, receiver: Receiver
):
    async with playing(server, tmp_path, webhook_allow_private=True) as deal:
        await enter_show(deal, receiver.url)
        now = await deal.deal()
        assert now.firing == ()
        assert now.tasks["book-room"].is_open
        assert "ask-the-board" not in now.tasks
        assert [each.title for each in now.stage_approvals] == ["Solution review"]
        async with asyncio.timeout(PATIENCE):
            await receiver.heard.wait()
        (told,) = receiver.told
        assert told["type"] == "deal.demo_began"
        assert told["data"]["opportunity_id"] == str(deal.id)
        assert told["data"]["stage"] == "show"
        assert "Acme" not in str(told)
        await deal.until(lambda _: any(each.kind is NoticeKind.TRIGGERED for each in deal.heard))
        (notice,) = [each for each in deal.heard if each.kind is NoticeKind.TRIGGERED]
        assert notice.words == "Bring your engineer."
        assert any("campaign demo-guests" in words for words in await deal.words())
        await deal.ask(ask.AddNote(text="A change that fires nothing."))
        assert await deal.count(CHILD) == 2
        assert receiver.ids == [f"{deal.id}-{_sequence(await deal.story(), 'deal.demo_began')}"]


def _sequence(story: list[TimelineEntry], part: str) -> int:
    return next(entry.sequence for entry in story if part in entry.words)


async def test_a_stage_waits_for_its_approval_and_goes_on_with_a_yes(
    server: WorkflowEnvironment, tmp_path: Path
):
    async with playing(server, tmp_path) as deal:
        await enter_show(deal, "https://hooks.example/x")
        await deal.complete("book-room", "demo")
        error = await refused(deal.ask(ask.Advance()))
        assert error.type == "stage_gate_closed"
        assert "“Solution review” waits for approval" in error.message
        await deal.tell_stage(ApprovalState.REJECTED, "Too thin.")
        await deal.until_said("“Solution review” was rejected: Too thin.")
        error = await refused(deal.ask(ask.Advance()))
        assert "ask for it again, or move the deal back" in error.message
        before = (await deal.deal()).stage_approvals[-1].id
        await deal.ask(ask.AskStageApproval(approval_id=before, id=new_id()))
        await deal.tell_stage(ApprovalState.APPROVED)
        await deal.until_said("“Solution review” was approved.")
        await deal.ask(ask.Advance())
        assert (await deal.deal()).stage.key == "close"


async def test_moving_away_withdraws_it_and_coming_back_asks_again(
    server: WorkflowEnvironment, tmp_path: Path
):
    async with playing(server, tmp_path) as deal:
        await enter_show(deal, "https://hooks.example/x")
        first = (await deal.deal()).stage_approvals[0].id
        await deal.ask(ask.Move(stage="talk", reason="Not yet"))
        reason = await deal.client.get_workflow_handle(approval_workflow_id(first)).result()
        assert "its stage was left" in reason
        await deal.ask(ask.Move(stage="show", reason="Now"))
        second = (await deal.deal()).stage_approvals[-1].id
        assert second != first
        await deal.ask(ask.Lose(reason=LoseReason.PRICE))
        reason = await deal.client.get_workflow_handle(approval_workflow_id(second)).result()
        assert "the deal is lost" in reason


async def test_a_dead_receiver_delays_nothing_and_is_told_of_in_the_end(
    server: WorkflowEnvironment, tmp_path: Path, receiver: Receiver
):
    receiver.answers = [503] * 1000
    async with playing(server, tmp_path, webhook_allow_private=True) as deal:
        await enter_show(deal, receiver.url)
        await deal.complete("demo")
        for _ in range(24):  # given up after 12; the skipping clock once had one more attempt to go
            await server.sleep(timedelta(hours=1))
            if any("could not be told" in words for words in await deal.words()):
                break
        said = await deal.until_said("could not be told of deal.demo_began")
        assert said.words == "127.0.0.1 could not be told of deal.demo_began: it answered 503."
        assert len(set(receiver.ids)) == 1
        assert len(receiver.ids) > 10


async def test_a_receiver_that_is_back_in_time_hears_it_with_the_same_id(
    server: WorkflowEnvironment, tmp_path: Path, receiver: Receiver
):
    receiver.answers = [500, 503, 429]
    async with playing(server, tmp_path, webhook_allow_private=True) as deal:
        await enter_show(deal, receiver.url)
        await server.sleep(timedelta(hours=1))
        assert len(receiver.ids) == 4
        assert len(set(receiver.ids)) == 1
        assert not any("could not be told" in words for words in await deal.words())


async def test_nobody_inside_the_network_is_called(
    server: WorkflowEnvironment, tmp_path: Path, receiver: Receiver
):
    async with playing(server, tmp_path) as deal:
        await enter_show(deal, receiver.url)
        said = await deal.until_said("could not be told")
        assert "an address inside a network" in said.words
        assert receiver.told == []


async def test_a_deal_that_is_reopened_goes_on_without_firing_again(
    server: WorkflowEnvironment, tmp_path: Path
):
    async with playing(server, tmp_path) as deal:
        await enter_show(deal, "https://hooks.example/x")
        await deal.ask(ask.Lose(reason=LoseReason.PRICE))
        await deal.ended()
        await deal.wake(await deal.deal(), ask.Reopen())
        assert await deal.count(CHILD) == 0
        assert (await deal.deal()).firing == ()
        error = await refused(deal.ask(ask.Advance()))
        assert "“Solution review” was not decided on before the deal was closed" in error.message


async def test_a_run_that_follows_another_fires_nothing_again(tmp_path: Path):
    ledger = Ledger()
    async with impatient() as server:
        played = Played(server.client, queue="triggers")
        async with a_worker(server.client, played.queue, ledger):
            await enter_show(played, "https://hooks.example/x")
            first = (await played.history()).run_id
            for number in range(16):
                await played.ask(ask.AddNote(text=f"Note {number}"))
            assert (await played.history()).run_id != first, "the process continued as new"
    fired = [entry for entry in ledger.timeline.values() if entry.event.type == "trigger_fired"]
    assert len(fired) == 5


async def test_a_deal_taken_over_fires_nothing(server: WorkflowEnvironment, tmp_path: Path):
    async with playing(server, tmp_path) as deal:
        await deal.open(playbook=book(), stage="show", opened_at=NOW - timedelta(days=3000), owner=None)
        now = await deal.deal()
        assert "book-room" not in now.tasks
        assert now.stage_approvals == ()
