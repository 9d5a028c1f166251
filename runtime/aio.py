"""Running a coroutine as a whole program."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Answer = TypeVar("Answer")


def run(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run `main` to its end on a loop of its own.

    Temporal's native part can bring the interpreter down at exit, with an exit
    code that is not ours (temporalio/sdk-python issue 300), when its objects are
    still in reference cycles then. They are collected here, while all is well.
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main)
    finally:
        gc.collect()
