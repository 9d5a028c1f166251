"""`tandem up`: everything on one machine, in one terminal, from one command."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import typer

from runtime import aio, instance, processes
from runtime.errors import CannotStart, make_folder
from runtime.postgres import postgres_server
from runtime.settings import Settings, local_name
from runtime.supervisor import Service, keep, watch, words
from runtime.temporal_server import claimed, temporal_server

PATIENCE = 60.0
"""Seconds that the web has to answer its first request."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where PostgreSQL and Temporal answer, and those of them that are ours to watch."""

    database_url: str
    temporal_address: str
    temporal_ui_url: str | None
    children: list[processes.Child]


async def up(settings: Settings, *, demo: bool, stop_with_parent: bool = False) -> None:
    """Run all of Tandem until it is told to stop, then stop all of it.

    Raises:
        CannotStart: with what to do.
    """
    home = make_folder(settings.home)
    settings = settings.model_copy(update={"home": home})
    with instance.hold(home), aio.stop_signals() as stop:
        claimed(settings.port, "TANDEM_PORT", settings.host)
        running = asyncio.create_task(_run(settings, demo=demo))
        stopping: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
        if stop_with_parent:
            stopping.append(asyncio.create_task(_parent_gone(os.getppid())))
        await asyncio.wait([running, *stopping], return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            _say("Stopping …")
        for task in (running, *stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _run(settings: Settings, *, demo: bool) -> None:
    told: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
    try:
        # The services stop before the servers. What the first page waits for starts before them, to load its
        # libraries meanwhile; the worker when the web answers: a small machine would be slower at both.
        async with contextlib.AsyncExitStack() as outlasting, asyncio.TaskGroup() as group:
            group.create_task(keep(_service("api"), told, _say))
            migration = await processes.start(
                _tandem("migrate", "--when-told"), name="migration", listens=True
            )
            async with processes.running(migration):
                servers = await outlasting.enter_async_context(_servers(settings))
                for child in servers.children:
                    group.create_task(watch(child))
                env = _environment(settings, servers)
                await _migrate(migration, env)
            told.set_result(env)
            await _answers(settings)
            group.create_task(keep(_service("worker"), told, _say))
            instance.publish(settings.home, _note(settings, servers))
            if demo:
                await _seed(settings, env)
            _say(_welcome(settings, servers))
    except BaseExceptionGroup as several:
        raise aio.first_error(several) from several


def _note(settings: Settings, servers: Servers) -> instance.Running:
    return instance.Running(
        pid=os.getpid(),
        url=settings.url,
        database_url=servers.database_url,
        temporal_address=servers.temporal_address,
        temporal_ui_url=servers.temporal_ui_url,
    )


@contextlib.asynccontextmanager
async def _servers(settings: Settings) -> AsyncIterator[Servers]:
    """PostgreSQL and Temporal: those that the settings name, or our own, started at once."""
    async with contextlib.AsyncExitStack() as stack:
        children: list[processes.Child] = []

        async def database() -> str:
            if settings.database_url is not None:
                return settings.database_url
            server = await stack.enter_async_context(postgres_server(settings.home))
            children.append(server.child)
            return server.url

        async def temporal() -> tuple[str, str | None]:
            if settings.temporal_address is not None:
                return settings.temporal_address, None
            server = await stack.enter_async_context(
                temporal_server(
                    settings.home,
                    port=settings.temporal_port,
                    ui_port=settings.temporal_ui_port,
                    ui=settings.temporal_ui,
                )
            )
            children.append(server.child)
            return server.address, server.ui_url

        url, (address, ui_url) = await aio.together(database(), temporal())
        yield Servers(url, address, ui_url, children)


def _environment(settings: Settings, servers: Servers) -> dict[str, str]:
    return {
        "TANDEM_HOME": str(settings.home),
        "TANDEM_DATABASE_URL": servers.database_url,
        "TANDEM_TEMPORAL_ADDRESS": servers.temporal_address,
        "TANDEM_DEMO_PASSWORD": instance.demo_password(settings),
    }


async def _migrate(migration: processes.Child, env: dict[str, str]) -> None:
    """Tell the migration where the database is, and wait for it."""
    await migration.tell(json.dumps(env))
    if code := await migration.wait():
        raise CannotStart(
            f"The database could not be brought up to date ({words(code)}): see the lines above."
        )


def _service(role: str) -> Service:
    return Service(role, _tandem(role, "--when-told"))


def _tandem(*arguments: str) -> list[str]:
    # -P: a file of the same name in the folder that we were called from is not ours.
    return [sys.executable, "-P", "-m", "cli", *arguments]


async def _seed(settings: Settings, env: dict[str, str]) -> None:
    """Make the demo data, the first time."""
    mark = settings.home / "demo-made"
    if mark.exists():
        return
    _say(f"Making the demo data, this once; {settings.url} answers already …")
    child = await processes.start(_tandem("demo"), name="demo", env=env)
    async with processes.running(child):
        code = await child.wait()
    if code == 0:
        mark.touch()
    else:
        _say(f"The demo data were not made ({words(code)}); try again with: tandem demo")


async def _answers(settings: Settings) -> None:
    """Wait until the web is ready for its first visitor."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                if await _status(local_name(settings.host).strip("[]"), settings.port) == b"200":
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise CannotStart("The web does not answer: see the lines above, or ask `tandem doctor`.") from None


async def _status(host: str, port: int) -> bytes:
    """The status that /readyz answers; empty when nobody does."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return b""
    try:
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return (await reader.readline()).partition(b" ")[2][:3]
    except OSError:
        return b""
    finally:
        writer.close()


async def _parent_gone(parent: int) -> None:
    """Wait until the process that started us is gone."""
    while True:
        await asyncio.sleep(0.5)
        if os.getppid() != parent:
            return


def _welcome(settings: Settings, servers: Servers) -> str:
    lines = [
        "",
        f"  Tandem       {settings.url}",
        f"  API          {settings.url}/api/v1/openapi.json",
        f"  Temporal     {servers.temporal_ui_url or servers.temporal_address}",
        f"  State        {settings.home}",
        "",
    ]
    if (settings.home / "demo-made").exists():
        lines += ["  Sign in with the password " + instance.demo_password(settings) + " as", *_sign_ins(), ""]
    return "\n".join([*lines, "  Ctrl-C stops all of it.", ""])


def _sign_ins() -> list[str]:
    from ops.demo_story import SIGN_INS  # noqa: PLC0415 - brings the domain along, needed only here

    width = max(len(email) for email, _ in SIGN_INS)
    return [f"    {email:<{width}}  {role}" for email, role in SIGN_INS]


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone
        typer.echo(text)
