"""One real stack for the whole suite: PostgreSQL and the API over a socket.

Tests share it and leave what they made behind; each makes what it looks at, so
that they run in any order.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from api.app import create_app
from db.migrate import upgrade
from db.session import Database
from runtime.postgres import embedded_postgres
from runtime.settings import Settings
from tests.stack import ClientFor, People, populate, serving


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tandem")


@pytest_asyncio.fixture(scope="session")
async def settings(home: Path) -> AsyncIterator[Settings]:
    """Settings over a PostgreSQL of the suite's own, migrated."""
    async with embedded_postgres(home, durable=False) as url:
        upgrade(url)
        yield Settings(home=home, database_url=url, rate_limit="1000000/minute")


@pytest_asyncio.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url is not None
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="session")
async def people(database: Database) -> People:
    """The vendor, Aster and Borealis, and their people (`await people.of("rep@vendor.example")`)."""
    return await populate(database)


@pytest_asyncio.fixture(scope="session")
async def address(settings: Settings) -> AsyncIterator[str]:
    """Where the API answers."""
    async with serving(create_app(settings)) as address:
        yield address


@pytest_asyncio.fixture(scope="session")
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody: a client without credentials."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as nobody:
        yield nobody


@pytest_asyncio.fixture(scope="session")
async def as_(address: str, people: People) -> AsyncIterator[ClientFor]:
    """A client that sends somebody's API key: `rep = await as_("rep@vendor.example")`."""
    async with contextlib.AsyncExitStack() as clients:
        known: dict[str, httpx.AsyncClient] = {}

        async def client_for(email: str) -> httpx.AsyncClient:
            if email not in known:
                person = await people.of(email)
                known[email] = await clients.enter_async_context(
                    httpx.AsyncClient(base_url=address, headers=person.headers, timeout=30)
                )
            return known[email]

        yield client_for
