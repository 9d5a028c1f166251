"""Keeping the processes of one `tandem up` going, and noticing when they cannot."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime import processes
from runtime.errors import CannotStart

TOO_OFTEN = 5
"""Ends within `WINDOW` seconds, after which starting again is given up."""
WINDOW = 30.0
PAUSE = 0.2
"""Seconds before a process that ended is started again; more with each end."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process of ours that is started again whenever it ends: nothing is lost when it dies.

    It loads its libraries at once, and begins when it is told its settings on
    standard input, a JSON object of environment variables.
    """

    name: str
    command: Sequence[str]


async def keep(service: Service, told: asyncio.Future[dict[str, str]], say: Callable[[str], None]) -> None:
    """Run the service until cancelled, then stop it; `told` are its settings, once they are known.

    Raises:
        CannotStart: it ends again and again.
    """
    ends: deque[float] = deque(maxlen=TOO_OFTEN)
    while True:
        child = await processes.start(service.command, name=service.name, listens=True)
        async with processes.running(child):
            await child.tell(json.dumps(await asyncio.shield(told)))
            code = await child.wait()
        ends.append(time.monotonic())
        if len(ends) == TOO_OFTEN and ends[-1] - ends[0] < WINDOW:
            raise CannotStart(
                f"The {service.name} ends as soon as it starts ({words(code)}): see the lines above."
            )
        say(f"The {service.name} ended ({words(code)}) and is started again.")
        await asyncio.sleep(PAUSE * len(ends))


async def watch(child: processes.Child) -> None:
    """Wait, until cancelled, for a server to end, which it never should.

    Raises:
        CannotStart: it ended; without it nothing can go on.
    """
    code = await child.wait()
    raise CannotStart(
        f"{child.name} ended by itself ({words(code)}): see {child.log}, then start Tandem again."
    )


def words(code: int) -> str:
    """An exit code as people say it."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
