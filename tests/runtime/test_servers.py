"""The embedded servers and what keeps them from outliving us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url
from temporalio.client import Client
from temporalio.service import GrpcCompression

from domain.errors import Unavailable
from runtime import aio, errors, instance, processes
from runtime.errors import CannotStart, make_folder
from runtime.postgres import embedded_postgres
from runtime.search_attributes import SEARCH_ATTRIBUTES as TYPED
from runtime.settings import Settings, load
from runtime.temporal_client import compression_to, connect, ensure_search_attributes
from runtime.temporal_server import SEARCH_ATTRIBUTES, claimed, free_port, temporal_server
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
TAKEN = "address already in use"
NEXT_RUN = """
import sys
from pathlib import Path
from runtime import aio
from runtime.postgres import embedded_postgres
from tests.runtime.test_servers import versions

async def run():
    async with embedded_postgres(Path(sys.argv[1]), durable=False) as url:
        print(await versions(url))

aio.run(run())
"""


@contextlib.contextmanager
def somebody_listening() -> Iterator[int]:
    """A port of this machine that is somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield int(somebody.getsockname()[1])


async def versions(url: str) -> str:
    async with await psycopg.AsyncConnection.connect(url.replace("+psycopg", "")) as connection:
        row = await (await connection.execute("SHOW server_version")).fetchone()
    assert row is not None
    return str(row[0])


def socket_folder(url: str) -> Path:
    return Path(str(make_url(url).query["host"]))


async def test_postgres_keeps_its_data_and_forgives_a_stale_lock(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path, durable=False) as url:
        assert (await versions(url)).startswith("18.")
    stale = tmp_path / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{tmp_path / 'postgres'}\n1\n5432\n/nowhere\n\n  1 1\nready\n")
    async with embedded_postgres(tmp_path, durable=False) as url:
        assert (await versions(url)).startswith("18.")


async def test_a_server_that_a_crash_left_is_ended_first(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path, durable=False):
        pid = int((tmp_path / "postgres" / "postmaster.pid").read_text().split()[0])
        next_run = await asyncio.create_subprocess_exec(  # of its own: whose child the server is waits for it
            sys.executable, "-c", NEXT_RUN, str(tmp_path), cwd=ROOT, stdout=subprocess.PIPE
        )
        said, _ = await next_run.communicate()
        assert (next_run.returncode, said[:3]) == (0, b"18.")
        assert not psutil.pid_exists(pid)


async def test_a_deep_folder_is_no_obstacle_and_leaves_nothing_elsewhere(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path / ("deep" * 30), durable=False) as url:
        assert (await versions(url)).startswith("18.")
        elsewhere = socket_folder(url)
        assert elsewhere.is_dir()
    assert not elsewhere.exists()


async def test_data_of_another_postgres_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(
        CannotStart, match=r"were made by PostgreSQL 17, and this is PostgreSQL 18: .*TANDEM_HOME"
    ):
        async with embedded_postgres(tmp_path):
            pass


async def test_workflows_of_a_newer_temporal_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "temporal.version").write_text("99.0.0")
    with pytest.raises(CannotStart, match=r"last run by Temporal server 99\.0\.0"):
        async with temporal_server(tmp_path):
            pass


async def test_temporal_starts_with_our_search_attributes(tmp_path: Path) -> None:
    async with temporal_server(tmp_path, port=0, ui=False) as server:
        client = await connect(Settings(temporal_address=server.address))
        assert await ensure_search_attributes(client) == []


async def test_temporal_starts_again_when_somebody_takes_a_port_that_was_free(tmp_path: Path) -> None:
    log = tmp_path / "temporal.log"

    async def missing(*arguments: str) -> list[str]:
        async with temporal_server(tmp_path, port=0, ui=False, extra_args=arguments) as server:
            return await ensure_search_attributes(await connect(Settings(temporal_address=server.address)))

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        with somebody_listening() as port:
            asked = tasks.create_task(missing("--http-port", str(port)))
            while not (log.exists() and TAKEN in log.read_text()):  # noqa: ASYNC110 -- another process writes it
                await asyncio.sleep(0.01)
    assert asked.result() == []


async def test_two_that_start_at_once_do_not_get_into_each_others_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = iter([free_port()] * 2)
    monkeypatch.setattr("runtime.temporal_server.free_port", lambda _: next(both, None) or free_port())
    async with contextlib.AsyncExitStack() as stack:
        homes = [tmp_path / "one", tmp_path / "other"]
        starts = [stack.enter_async_context(temporal_server(home, ui=False)) for home in homes]
        servers = await aio.together(*starts)
        assert len({server.address for server in servers}) == 2
        for server in servers:
            assert server.child.listens_on(int(server.address.partition(":")[2]))


async def test_who_listens_is_not_mistaken() -> None:
    child = await processes.start(["sleep", "60"], name="deaf")
    async with processes.running(child):
        with somebody_listening() as port:
            assert not child.listens_on(port)
    assert not child.listens_on(port)


async def test_a_script_around_the_server_is_the_server() -> None:
    listen = (
        "import socket, sys; socket.setdefaulttimeout(60); "  # it ends, also when this test fails
        "socket.create_server(('127.0.0.1', int(sys.argv[1]))).accept()"
    )
    port = free_port()
    script = ["sh", "-c", '"$0" -c "$1" "$2"; true', sys.executable, listen, str(port)]
    child = await processes.start(script, name="script")
    async with processes.running(child), asyncio.timeout(PATIENCE):
        while not child.listens_on(port):  # noqa: ASYNC110 -- another process listens
            await asyncio.sleep(0.01)
        socket.create_connection(("127.0.0.1", port)).close()  # it takes one, and ends
        assert await child.wait() == 0


async def test_a_port_that_stays_taken_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.temporal_server.STARTS", 2)
    with (
        somebody_listening() as port,
        pytest.raises(CannotStart, match=rf"^Temporal did not start \(.*:{port}: .*{TAKEN}\): see "),
    ):
        async with temporal_server(tmp_path, port=0, ui=False, extra_args=["--http-port", str(port)]):
            pass
    assert (tmp_path / "temporal.log").read_text().count(f":{port}: bind: {TAKEN}") == 2


def test_the_two_lists_of_search_attributes_agree() -> None:
    kinds = {"Keyword": "KEYWORD", "Datetime": "DATETIME"}
    assert {key.name: key.indexed_value_type.name for key in TYPED} == {
        name: kinds[kind] for name, kind in SEARCH_ATTRIBUTES.items()
    }


async def test_nobody_answering_is_a_sentence() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match=f"Temporal does not answer at {address}"):
        await connect(Settings(temporal_address=address))


@pytest.mark.parametrize(
    ("address", "compression"),
    [
        ("127.0.0.1:7233", GrpcCompression.NONE),
        ("[::1]:7233", GrpcCompression.NONE),
        ("localhost:7233", GrpcCompression.NONE),
        ("temporal:7233", GrpcCompression.GZIP),
        ("10.0.0.7:7233", GrpcCompression.GZIP),
        ("tandem.a2dd6.tmprl.cloud:7233", GrpcCompression.GZIP),
    ],
)
def test_requests_are_packed_unless_they_stay_on_this_machine(
    address: str, compression: GrpcCompression
) -> None:
    assert compression_to(address) is compression


def test_so_nothing_is_packed_for_the_temporal_of_these_tests(temporal: Client) -> None:
    assert temporal.service_client.config.grpc_compression is GrpcCompression.NONE


async def test_a_child_that_does_not_listen_is_ended_all_the_same() -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    child = await processes.start([sys.executable, "-c", deaf], name="deaf")
    await child.stop(patience=0.5)
    assert child.exit_code in {-signal.SIGKILL, -signal.SIGTERM}


def test_the_watchdog_ends_what_is_left_when_its_pipe_closes() -> None:
    left, ended = (subprocess.Popen(["sleep", "60"]) for _ in range(2))
    lines = f"+{left.pid} {int(signal.SIGTERM)}\n+{ended.pid} {int(signal.SIGTERM)}\n-{ended.pid}\n"
    watchdog = [sys.executable, "-I", "-S", str(ROOT / "runtime" / "watchdog.py")]
    subprocess.run(watchdog, input=lines.encode(), timeout=30, check=True)
    assert left.wait(PATIENCE) == -signal.SIGTERM
    assert ended.poll() is None
    ended.kill()
    ended.wait()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(CannotStart, match="set TANDEM_HOME to a folder that you may write to"):
        make_folder(tmp_path / "home")


def test_a_full_disk_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "ROOM_NEEDED", 1 << 62)
    with pytest.raises(CannotStart, match="is full: free at least"):
        make_folder(tmp_path)


def test_one_process_holds_a_home(tmp_path: Path) -> None:
    with (
        instance.hold(tmp_path),
        pytest.raises(CannotStart, match="Tandem runs from"),
        instance.hold(tmp_path),
    ):
        pass
    with instance.hold(tmp_path):
        pass


def test_a_command_without_servers_says_how_to_start_them(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="start it with `tandem up`, or set TANDEM_DATABASE_URL"):
        instance.located(Settings(home=tmp_path))


def test_the_demo_password_is_made_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert instance.demo_password(settings) == instance.demo_password(settings)
    assert instance.demo_password(Settings(home=tmp_path, demo_password="set")) == "set"


def test_secrets_are_not_shown() -> None:
    shown = Settings(
        database_url="postgresql://tandem:secret@db/tandem",
        temporal_api_key="secret",
    ).public()
    assert shown["TANDEM_DATABASE_URL"] == "postgresql://***@db/tandem"
    assert "secret" not in str(shown.values())


def test_a_port_of_somebody_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotStart, match=r"Port 8000 on 203\.0\.113\.1 cannot be used"):
        claimed(8000, "TANDEM_PORT", "203.0.113.1")
    monkeypatch.setenv("TANDEM_PORT", "70000")
    with pytest.raises(CannotStart, match="TANDEM_PORT cannot be used"):
        load()
