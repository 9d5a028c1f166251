"""Requests that wait for weeks meet newer code: it must do with their histories what the old code did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay.approval_scenarios import IMPATIENT, SKIPPING
from tests.replay.committed import commands, has_its_fingerprint, replays
from tests.replay.make import fingerprint
from tests.replay.make_approvals import HISTORIES, play
from tests.workflows.play import skipping

COMMITTED = sorted(HISTORIES.glob("*.json"))
OLDER = sorted((HISTORIES / "older").glob("*.json"))
"""Of requests that began before the workflow changed: they go on as they began."""

LESSON = """The workflow's commands changed for “{name}”: requests that run now would get stuck.

Put the change behind `workflow.patched`, as `tests/replay/test_replay.py` shows. Then make the histories
anew (`.venv/bin/python -m tests.replay.make_approvals`) beside the old ones' copies, which must go on
replaying. Before the first release, making them anew is enough."""


def test_there_is_a_history_of_every_notable_path():
    assert {path.stem.rpartition("-")[0] for path in COMMITTED} == {*SKIPPING, *IMPATIENT}


@pytest.mark.parametrize("path", [*COMMITTED, *OLDER], ids=lambda path: path.stem)
async def test_committed_histories_replay(path: Path):
    await replays(path, LESSON)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_history_and_its_fingerprint_belong_together(path: Path):
    has_its_fingerprint(path)


@pytest.mark.parametrize("name", SKIPPING)  # where a real server cuts a run depends on its moment
async def test_the_same_path_gives_the_same_commands_today(name: str):
    async with skipping() as server:
        played = [commands(fingerprint(history)) for history in await play(name, server)]
    committed = [path.with_suffix(".txt").read_text() for path in COMMITTED if path.stem[:-2] == name]
    assert played == [commands(text) for text in committed], LESSON.format(name=name)
