"""Child processes that never outlive this one.

Every child is started through `launch.py` and told to `watchdog.py`, so that
nothing stays behind, also when this process is killed with `kill -9`. Children
get a session of their own: Ctrl-C reaches this process only, which then stops
them in the right order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_HERE = Path(__file__).parent
_QUICK_PYTHON = (sys.executable, "-I", "-S")
_LOG_LIMIT = 10 * 1024 * 1024
"""Bytes after which a log is set aside at the next start."""


class _Watchdog:
    """The one helper of this process that ends its children when it is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, line: str) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [*_QUICK_PYTHON, str(_HERE / "watchdog.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        pipe = self._process.stdin
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.write(line.encode() + b"\n")
                pipe.flush()


_watchdog = _Watchdog()


@dataclass(slots=True)
class Child:
    """A running child process and how to end it."""

    name: str
    process: asyncio.subprocess.Process
    log: Path | None
    log_begins: int
    """Where in the log its own words begin, in bytes."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.process.returncode

    def listens_on(self, port: int) -> bool:
        """Whether it is this process, or one that it started, that takes connections on the port."""
        try:
            process = psutil.Process(self.pid)
            family = [process, *process.children(recursive=True)]  # the program may be a script around it
            sockets = [each for member in family for each in member.net_connections("tcp")]
        except psutil.Error:  # it has ended
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)

    async def wait(self) -> int:
        """Wait for its end and answer the exit code (negative: the signal that ended it)."""
        code = await self.process.wait()
        _watchdog.tell(f"-{self.pid}")
        return code

    async def stop(self, how: signal.Signals = signal.SIGTERM, patience: float = 5.0) -> None:
        """Ask it to end; after `patience` seconds, end it."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(how)
            try:
                await asyncio.wait_for(self.wait(), patience)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
        await self.wait()

    async def tell(self, line: str) -> None:
        """Write one line to its standard input, and close that."""
        pipe = self.process.stdin
        if pipe is not None:
            with contextlib.suppress(OSError, RuntimeError):  # it ended meanwhile, which `wait` tells
                pipe.write(line.encode() + b"\n")
                await pipe.drain()
            pipe.close()

    def said(self) -> str:
        """What it has written to its log; empty without one."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self.log_begins)
            return log.read().decode(errors="replace")

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of what it has said."""
        return "\n".join(self.said().splitlines()[-lines:])


async def start(
    command: Sequence[str | Path],
    *,
    name: str,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    orphaned: signal.Signals = signal.SIGKILL,
    unprivileged: bool = False,
    listens: bool = False,
) -> Child:
    """Start `command`; it gets the signal `orphaned` should this process be gone.

    Call it on the main thread: Linux takes the end of the starting thread for
    the end of the parent. Without `log`, the child writes to our terminal.
    `env` adds to our environment; `unprivileged` means `nobody` when we are root;
    a child that `listens` can be told something (`Child.tell`).
    """
    flags = ["--unprivileged"] if unprivileged else []
    launcher = [*_QUICK_PYTHON, str(_HERE / "launch.py"), "--parent", str(os.getpid())]
    arguments = [*launcher, "--signal", str(int(orphaned)), *flags, "--", *map(str, command)]
    with _output(log) as output:
        begins = 0 if output is None else os.fstat(output).st_size
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    _watchdog.tell(f"+{process.pid} {int(orphaned)}")
    return Child(name=name, process=process, log=log, log_begins=begins)


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[int | None]:
    if log is None:
        yield None
        return
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".old.log"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def running(child: Child, how: signal.Signals = signal.SIGTERM) -> AsyncIterator[Child]:
    """Stop the child when the block ends, also when the block is cancelled."""
    try:
        yield child
    finally:
        await child.stop(how)
