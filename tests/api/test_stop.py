"""An API process that is told to stop, while streams are open and others have just been closed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from uuid import uuid4

import httpx
import pytest

from domain.playbook import Playbook
from runtime.settings import Settings
from runtime.temporal_server import free_port
from tests.patience import PATIENCE
from tests.stack import ClientFor, People

pytestmark = pytest.mark.usefixtures("worker")


async def _started(settings: Settings, port: int) -> asyncio.subprocess.Process:
    assert settings.database_url is not None
    assert settings.temporal_address is not None
    env = {
        **os.environ,
        "TANDEM_HOME": str(settings.home),
        "TANDEM_DATABASE_URL": settings.database_url,
        "TANDEM_TEMPORAL_ADDRESS": settings.temporal_address,
        "TANDEM_PORT": str(port),
    }
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-P", "-m", "cli", "api"]
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    async with httpx.AsyncClient() as client:
        while process.returncode is None:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                    break
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    assert process.returncode is None, await process.communicate()
    return process


async def test_streams_end_in_order_and_give_their_connections_back(
    settings: Settings, as_: ClientFor, people: People, playbook: Playbook
) -> None:
    rep, person = await as_("rep@vendor.example"), await people.of("rep@vendor.example")
    port = free_port()
    process = await _started(settings, port)

    async def listen(listening: asyncio.Event) -> str:
        async with (
            httpx.AsyncClient(headers=person.headers, timeout=30) as client,
            client.stream("GET", f"http://127.0.0.1:{port}/api/v1/events/stream") as stream,
        ):
            told = ""
            async for line in stream.aiter_lines():
                told += line
                listening.set()
            return told

    begun = [asyncio.Event() for _ in range(16)]
    streams = [asyncio.create_task(listen(event)) for event in begun]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(event.wait() for event in begun))
    body = {"title": "Last call", "customer": {"name": f"Customer {uuid4()}"}, "playbook": playbook.key}
    assert (await rep.post("/api/v1/opportunities", json=body)).status_code == 201  # all of them read
    for stream in streams[::2]:
        stream.cancel()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
        ended = await asyncio.gather(*streams, return_exceptions=True)
    assert process.returncode == 0
    assert all(isinstance(told, str) for told in ended[1::2]), "a stream that is open ends as it should"
    said = (out + err).decode()
    assert "Traceback" not in said
    assert "non-checked-in" not in said
