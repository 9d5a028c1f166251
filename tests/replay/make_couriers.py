"""Makes the committed histories of couriers anew: `.venv/bin/python -m tests.replay.make_couriers`.

As `tests.replay.make` does for deals; with a name, only that scenario's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runtime import aio
from tests.replay.courier_scenarios import SCENARIOS, play
from tests.replay.make import keep
from tests.workflows.play import skipping

HISTORIES = Path(__file__).parent / "courier_histories"


async def make(names: list[str]) -> None:
    HISTORIES.mkdir(exist_ok=True)
    for name in names:
        async with skipping() as server:
            history = await play(name, server)
        keep(HISTORIES / name, history)


if __name__ == "__main__":
    aio.run(make(sys.argv[1:] or [*SCENARIOS]))
