"""`tandem up` as somebody at a terminal sees it: real processes, real signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from temporalio.client import WorkflowExecutionStatus

from runtime import instance
from runtime.instance import Running
from runtime.settings import Settings
from runtime.temporal_client import connect
from runtime.temporal_server import free_port

ROOT = Path(__file__).resolve().parents[2]
STARTS, STOPS = 240.0, 120.0
"""Seconds, on a machine that does many other things; alone it takes a few."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def until(what: str, seconds: float, condition: Callable[[], object]) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Up:
    """A `tandem up` in a session of its own, as a terminal gives it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.output = home, home.with_name("output.txt")
        self.url = f"http://127.0.0.1:{port}"
        self.env = {**os.environ, "TANDEM_HOME": str(home), "TANDEM_PORT": str(port), "PYTHONPATH": str(ROOT)}
        for server in ("TANDEM_DATABASE_URL", "TANDEM_TEMPORAL_ADDRESS"):
            self.env.pop(server, None)
        self.family: list[psutil.Process] = []

    def start(self) -> Running:
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdout=output, stderr=output, start_new_session=True
            )
        until(f"the web answers\n{self.output.read_text()}", STARTS, self._welcomed)
        assert httpx.get(f"{self.url}/readyz").status_code == 200
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        running = instance.find(self.home)
        assert running is not None
        return running

    def _welcomed(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return self.output.read_text().endswith("Ctrl-C stops all of it.\n\n")

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-P", "-m", "cli", "up", "--no-demo", "--stop-with-parent"]

    def again(self) -> subprocess.CompletedProcess[str]:
        """Another `tandem up` with the same settings."""
        return subprocess.run(
            self.command, env=self.env, capture_output=True, text=True, timeout=STARTS, check=False
        )

    def child(self, role: str) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if role in child.cmdline())

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(STOPS)
        self.output.write_text("")
        return code

    def nothing_is_left(self) -> bool:
        return not [process for process in self.family if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def tandem(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "home", free_port())
    yield up
    if hasattr(up, "process") and up.process.poll() is None:
        up.process.kill()
        up.process.wait()


def test_ctrl_c_stops_everything_and_a_second_instance_is_told_where_the_first_is(tandem: Up) -> None:
    tandem.start()

    second = tandem.again()
    assert second.returncode == 1
    assert second.stderr.startswith(f"tandem: Tandem runs from {tandem.home} already (process ")
    assert tandem.url in second.stderr
    assert "Traceback" not in second.stderr

    worker = tandem.child("worker")
    worker.kill()
    until("the worker is started again", STARTS, lambda: "is started again" in tandem.output.read_text())

    assert tandem.end(signal.SIGINT) == 0
    until("everything has ended", STOPS, tandem.nothing_is_left)
    assert instance.find(tandem.home) is None


async def test_after_kill_9_nothing_is_left_and_the_next_run_finds_everything(tandem: Up) -> None:
    first = tandem.start()
    with psycopg.connect(first.database_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'as it was' AS how")
    client = await connect(Settings(temporal_address=first.temporal_address))
    await client.start_workflow("WaitsForSomebody", id="kept", task_queue="nobody-listens")

    assert tandem.end(signal.SIGKILL) == -signal.SIGKILL
    until("everything has ended", STOPS, tandem.nothing_is_left)

    second = tandem.start()
    with psycopg.connect(second.database_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT how FROM kept").fetchall() == [("as it was",)]
    client = await connect(Settings(temporal_address=second.temporal_address))
    kept = await client.get_workflow_handle("kept").describe()
    assert kept.status is WorkflowExecutionStatus.RUNNING

    assert tandem.end(signal.SIGTERM) == 0
    until("everything has ended", STOPS, tandem.nothing_is_left)


def test_a_port_in_use_is_said_in_one_sentence(tandem: Up) -> None:
    with socket.create_server(("127.0.0.1", int(tandem.env["TANDEM_PORT"]))):
        refused = tandem.again()
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"tandem: Port {tandem.env['TANDEM_PORT']} on 127.0.0.1 cannot be used (Address already in use): "
        "end the program that uses it, or choose another with TANDEM_PORT.\n"
    )


def test_a_setting_that_makes_no_sense_is_named(tandem: Up) -> None:
    tandem.env["TANDEM_PORT"] = "eighty"
    refused = tandem.again()
    assert refused.returncode == 1
    assert refused.stderr.startswith("tandem: TANDEM_PORT cannot be used: ")
    assert refused.stderr.count("\n") == 1
