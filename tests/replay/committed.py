"""Histories that are committed: each with its fingerprint, and replayed with the code as it is."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from runtime.payloads import DATA_CONVERTER
from tests.replay.make import fingerprint
from workflows.registry import WORKFLOWS


def read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


async def replays(path: Path, lesson: str) -> None:
    """Today's code does with the history what the code did that made it; `lesson` says what to do if not."""
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER)
    replayed = await replayer.replay_workflow(read(path), raise_on_replay_failure=False)
    assert replayed.replay_failure is None, f"{replayed.replay_failure}\n\n{lesson.format(name=path.stem)}"


def has_its_fingerprint(path: Path) -> None:
    assert fingerprint(read(path)) == path.with_suffix(".txt").read_text()


def commands(text: str) -> list[str]:
    """A fingerprint's own commands; what reaches the workflow from outside comes when it comes."""
    return sorted(line for line in text.splitlines() if not line.startswith("("))
