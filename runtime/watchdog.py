"""Ends what its parent started, once the parent is gone, however it went.

Run as a script by `runtime.processes`, never imported. The parent writes lines
to standard input: `+PID SIGNAL` when it started a process, `-PID` when that one
has ended. The pipe closes when the parent dies, also by `kill -9`: then each
remaining process gets its signal, and three seconds later SIGKILL. This works
on every Unix; on Linux the kernel's own parent-death signal is quicker still.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

PATIENCE = 3.0
"""Seconds that a process has to end by itself."""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _end(left: dict[int, int]) -> None:
    for pid, how in left.items():
        with contextlib.suppress(OSError):
            os.kill(pid, how)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and any(map(_alive, left)):
        time.sleep(0.05)
    for pid in filter(_alive, left):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)  # it goes when the parent goes, not before
    left: dict[int, int] = {}
    for line in sys.stdin:
        words = line.split()
        if line.startswith("+"):
            left[int(words[0][1:])] = int(words[1])
        else:
            left.pop(int(words[0][1:]), None)
    _end(left)


if __name__ == "__main__":
    main()
