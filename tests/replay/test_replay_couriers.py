"""Couriers that sleep until a morning meet newer code: it must do what the old code did."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from runtime.temporal_client import DATA_CONVERTER
from tests.replay.courier_scenarios import SCENARIOS, play
from tests.replay.make import fingerprint
from tests.replay.make_couriers import HISTORIES
from tests.replay.test_replay_approvals import commands
from tests.workflows.play import skipping
from workflows.registry import WORKFLOWS

COMMITTED = sorted(HISTORIES.glob("*.json"))

LESSON = """The workflow's commands changed for “{name}”: couriers that run now would get stuck.

Put the change behind `workflow.patched`, as `tests/replay/test_replay.py` shows, and make the histories
anew: `.venv/bin/python -m tests.replay.make_couriers`."""


def read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


def test_there_is_a_history_of_every_notable_path():
    assert {path.stem for path in COMMITTED} == set(SCENARIOS)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
async def test_committed_histories_replay(path: Path):
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER)
    replayed = await replayer.replay_workflow(read(path), raise_on_replay_failure=False)
    assert replayed.replay_failure is None, f"{replayed.replay_failure}\n\n{LESSON.format(name=path.stem)}"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_history_and_its_fingerprint_belong_together(path: Path):
    assert fingerprint(read(path)) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_same_path_gives_the_same_commands_today(name: str):
    async with skipping() as server:
        played = commands(fingerprint(await play(name, server)))
    assert played == commands((HISTORIES / f"{name}.txt").read_text()), LESSON.format(name=name)
