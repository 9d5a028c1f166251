"""The unit of work: the one place that opens connections and commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import exc, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import Pool

from domain.errors import InvalidInput, Unavailable

CONNECT_TIMEOUT_SECONDS = 5
PATIENCE = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""For libpq: a server that is gone without a word is noticed after 15 to 25 seconds, not after hours."""
_OPTIONS = "-c timezone=UTC -c max_parallel_workers_per_gather=0"
"""Our statements are short: starting helpers for one takes longer than they save."""


def _to_json(value: Any) -> str:
    """As pydantic writes it: several times as quick as the standard library, and it knows dates and ids."""
    return to_json(value).decode()


def psycopg_url(url: str) -> str:
    """The address with psycopg 3 as its driver, however it was written (`postgres://`, `postgresql://`)."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        msg = "The database address must start with postgresql://."
        raise ValueError(msg)
    return f"postgresql+psycopg://{rest}"


Reader = AsyncSession | AsyncConnection
"""What a single statement needs."""


def pool_of(reader: Reader) -> Pool:
    """The connections behind it: one object for each database that this process talks to."""
    bind = reader.get_bind() if isinstance(reader, AsyncSession) else reader.sync_connection
    assert bind is not None, "a reader is open while it is used"  # noqa: S101 -- for mypy
    return bind.engine.pool


class Database:
    """A pool of connections to PostgreSQL and the units of work over it.

    Sessions come out of `transaction()` (commits when the block ends, rolls back
    when it raises) or `read()` (each statement sees what is committed; no BEGIN
    and COMMIT to pay for). A database that cannot be reached is `Unavailable`.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = url
        self._reading: AsyncEngine = create_async_engine(
            make_url(psycopg_url(url)),
            isolation_level="AUTOCOMMIT",  # as the pool has it: only transactions pay for the change
            pool_size=pool_size,
            max_overflow=0,  # a connection beyond the pool would be opened and closed for a single statement
            pool_use_lifo=True,  # the few that are in use are those that know our statements
            pool_timeout=CONNECT_TIMEOUT_SECONDS,
            skip_autocommit_rollback=True,  # there is nothing to roll back after a single statement
            json_serializer=_to_json,
            json_deserializer=from_json,
            connect_args={**PATIENCE, "options": _OPTIONS},
        )
        self._closing: set[asyncio.Task[None]] = set()
        self._engine = self._reading.execution_options(isolation_level="READ COMMITTED")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: all of it, or nothing."""
        with _translated():
            async with self._session(self._engine) as session, session.begin():
                yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading, without a transaction around it."""
        with _translated():
            async with self._session(self._reading) as session:
                yield session

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        session = AsyncSession(engine, expire_on_commit=False)
        try:
            yield session
        finally:
            await self._give_back(session)

    async def _give_back(self, used: AsyncSession | AsyncConnection) -> None:
        """Give the connection back to the pool, also when whoever used it is cancelled."""
        closing = asyncio.create_task(used.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection for one statement that every request needs: two thirds of a session's cost."""
        with _translated():
            connection = await self._reading.connect().start()
            try:
                yield connection
            finally:
                await self._give_back(connection)

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AsyncSession]:
        """A session for one statement that changes something: it commits by itself, in one round trip."""
        async with self.read() as session:
            yield session

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises `Unavailable`."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def server_version(self) -> str:
        """The version of PostgreSQL. Raises `Unavailable`."""
        async with self.read() as session:
            return str((await session.execute(text("SHOW server_version"))).scalar_one())

    async def schema_revision(self) -> str | None:
        """The migration that was applied last; None in an empty database."""
        async with self.read() as session:
            if (await session.execute(text("SELECT to_regclass('alembic_version')"))).scalar_one() is None:
                return None
            found = await session.execute(text("SELECT version_num FROM alembic_version"))
            return found.scalar_one_or_none()

    async def close(self) -> None:
        """Close every connection, those last of requests that were cancelled a moment ago."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    """Driver errors as errors of ours: away is `Unavailable`, unkeepable text is `InvalidInput`."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, exc.InternalError) as away:
        raise Unavailable("The database does not answer; try again in a moment.") from away
    except exc.DataError as bad:
        raise InvalidInput(
            "The input holds something that cannot be stored, such as a null character or too large a number."
        ) from bad


def violated(error: exc.IntegrityError) -> str | None:
    """The name of the constraint that a statement broke, where the database says it."""
    diagnostic = getattr(error.orig, "diag", None)
    return getattr(diagnostic, "constraint_name", None)
