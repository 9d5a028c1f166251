"""Loads the suite quickly: what is loaded is no garbage, and to look for some takes a third of the time.

The first plugin after pytest's own, so that it holds for the others as well. The process that only deals
out tests to others collects none, and looks for no garbage at all.
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
