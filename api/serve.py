"""Serving the application with uvicorn until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import structlog
import uvicorn

from api.app import create_app
from runtime import aio
from runtime.settings import Settings
from runtime.temporal_server import claimed

GRACE = 2
"""Seconds that requests have to finish at the stop."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open.

Longer than clients and our proxy keep theirs: who reuses one just as we close it gets no answer.
"""

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """Leaves the signals to us, so that the process ends with its own exit code."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        CannotStart: the port is in use.
    """
    claimed(settings.port, "TANDEM_PORT", settings.host)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=settings.log_level == "debug",
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = _Server(config)
    aio.settle()
    with aio.stop_signals() as stop:
        log.info("serving", url=settings.url)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        if server.started:  # or streams would go on until they are torn off
            await app.state.services.watch.release()
        await serving
