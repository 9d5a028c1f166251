"""`tandem health`: what makes a container healthy, and what does not."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from typer.testing import CliRunner

import cli
from domain.errors import Unavailable
from ops.health_api import check_api
from ops.health_worker import check_worker
from runtime.settings import Settings
from runtime.temporal_server import free_port
from tests.patience import PATIENCE


async def test_an_api_that_is_ready_is_healthy(address: str, settings: Settings) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    await asyncio.to_thread(check_api, settings.model_copy(update={"host": host, "port": int(port)}))


def test_an_api_that_does_not_answer_is_not(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="The API is not ready at http://127"):
        check_api(settings.model_copy(update={"host": "0.0.0.0", "port": free_port()}))


async def test_a_worker_that_polls_from_here_is_healthy(settings: Settings, worker: None) -> None:
    until = time.monotonic() + PATIENCE
    while True:  # the first poll is on its way when the worker has started
        try:
            return await check_worker(settings)
        except Unavailable:
            assert time.monotonic() < until
        await asyncio.sleep(0.1)


async def test_a_worker_elsewhere_does_not_count(
    settings: Settings, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "another-container")
    with pytest.raises(Unavailable, match="No worker of this machine polls"):
        await check_worker(settings)


async def test_a_namespace_that_is_not_there_is_said(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="Temporal does not say who works"):
        await check_worker(settings.model_copy(update={"temporal_namespace": "nowhere"}))


def test_the_command_ends_with_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_PORT", str(free_port()))
    refused = CliRunner().invoke(cli.app, ["health", "api"])
    assert isinstance(refused.exception, Unavailable)
