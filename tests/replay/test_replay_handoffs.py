"""Hand-offs that wait for a year meet newer code: it must do with their histories what the old code did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay.committed import commands, has_its_fingerprint, replays
from tests.replay.make import fingerprint
from tests.replay.make_handoffs import HISTORIES, SCENARIOS, play

COMMITTED = sorted(HISTORIES.glob("*.json"))
OLDER = sorted((HISTORIES / "older").glob("*.json"))

LESSON = """The workflow's commands changed for “{name}”: hand-offs that run now would get stuck.

Put the change behind `workflow.patched`, as `tests/replay/test_replay.py` shows. Then make the histories
anew (`.venv/bin/python -m tests.replay.make_handoffs`) beside the old ones' copies, which must go on
replaying. Before the first release, making them anew is enough."""


def test_there_is_a_history_of_every_notable_path():
    assert {path.stem for path in COMMITTED} == {*SCENARIOS}


@pytest.mark.parametrize("path", [*COMMITTED, *OLDER], ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_committed_histories_replay(path: Path):
    await replays(path, LESSON)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_history_and_its_fingerprint_belong_together(path: Path):
    has_its_fingerprint(path)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_same_path_gives_the_same_commands_today(name: str):
    committed = (HISTORIES / f"{name}.txt").read_text()
    played = fingerprint(await play(name))
    assert without_timers(played) == without_timers(committed), LESSON.format(name=name)


def without_timers(text: str) -> list[str]:
    """An early signal spares or costs one."""
    return [line for line in commands(text) if "timer" not in line]
