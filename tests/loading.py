"""Loads the suite quickly: what is loaded is no garbage, and to look for some takes a third of the time.

The first of pytest's plugins, so that it holds for the others as well.
"""

from __future__ import annotations

import gc

from runtime import aio

gc.disable()


def pytest_collection_finish() -> None:
    """What is loaded by now stays: nobody looks through it again."""
    gc.set_threshold(aio.GARBAGE)
    aio.settle()
    gc.enable()
