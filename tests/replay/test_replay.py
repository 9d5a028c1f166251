"""Deals that run for months meet newer code: it must do with their histories what the old code did."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.replay.committed import has_its_fingerprint, read, replays
from tests.replay.make import HISTORIES, fingerprint, play
from tests.replay.scenarios import IMPATIENT, SKIPPING
from tests.workflows.play import skipping

COMMITTED = sorted(HISTORIES.glob("*.json"))
OLDER = sorted((HISTORIES / "older").glob("*.json"))
"""Of deals that began before the workflow changed: they go on as they began."""

LESSON = """The workflow's commands changed for “{name}”: deals that run now would get stuck on the new code.

Put the change behind a patch, so that running deals go on as they began:

    if workflow.patched("what-changed"):
        ...  # as new deals do it
    else:
        ...  # as before, until no deal of before runs any more; then workflow.deprecate_patch

Then make the histories anew (`.venv/bin/python -m tests.replay.make`) beside the old ones' copies,
which must go on replaying. Before the first release, making them anew is enough."""


def test_there_is_a_history_of_every_notable_path():
    told = {path.stem.rpartition("-")[0] for path in COMMITTED}
    assert told == {*SKIPPING, *IMPATIENT}


@pytest.mark.parametrize("path", [*COMMITTED, *OLDER], ids=lambda path: path.stem)
async def test_committed_histories_replay(path: Path):
    await replays(path, LESSON)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_history_and_its_fingerprint_belong_together(path: Path):
    has_its_fingerprint(path)


@pytest.mark.parametrize("name", SKIPPING)  # where a real server cuts a run depends on its moment
async def test_the_same_path_gives_the_same_commands_today(name: str):
    async with skipping() as server:
        played = [fingerprint(history) for history in await play(name, server)]
    committed = [path.with_suffix(".txt").read_text() for path in COMMITTED if path.stem[:-2] == name]
    assert played == committed, LESSON.format(name=name)


def test_from_open_to_handed_off_is_at_most_400_events():
    assert len(read(HISTORIES / "handed_off-1.json").events) <= 400


def test_no_history_tells_of_the_machine_that_made_it() -> None:
    for path in HISTORIES.parent.rglob("*.json"):
        text = path.read_text()
        assert "site-packages" not in text, path.name
        assert re.search(r'"identity": "[^"]', text) is None, path.name
