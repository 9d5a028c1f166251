"""Couriers that sleep until a morning meet newer code: it must do what the old code did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay.committed import commands, has_its_fingerprint, replays
from tests.replay.courier_scenarios import SCENARIOS, play
from tests.replay.make import fingerprint
from tests.replay.make_couriers import HISTORIES
from tests.workflows.play import skipping

COMMITTED = sorted(HISTORIES.glob("*.json"))

LESSON = """The workflow's commands changed for “{name}”: couriers that run now would get stuck.

Put the change behind `workflow.patched`, as `tests/replay/test_replay.py` shows, and make the histories
anew: `.venv/bin/python -m tests.replay.make_couriers`."""


def test_there_is_a_history_of_every_notable_path():
    assert {path.stem for path in COMMITTED} == set(SCENARIOS)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
async def test_committed_histories_replay(path: Path):
    await replays(path, LESSON)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_history_and_its_fingerprint_belong_together(path: Path):
    has_its_fingerprint(path)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_same_path_gives_the_same_commands_today(name: str):
    async with skipping() as server:
        played = commands(fingerprint(await play(name, server)))
    assert played == commands((HISTORIES / f"{name}.txt").read_text()), LESSON.format(name=name)
