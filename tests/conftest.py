"""One real stack for the whole suite: PostgreSQL and the API over a socket.

Tests share it and leave what they made behind; each makes what it looks at, so
that they run in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog.testing
import uvloop
from temporalio.client import Client

from api.app import create_app
from db import playbooks
from db.migrate import upgrade
from db.session import Database
from domain.playbook import Playbook, PlaybookDefinition
from runtime.postgres import embedded_postgres
from runtime.settings import Settings
from runtime.temporal_client import connect
from runtime.temporal_server import embedded_temporal
from tests.factories import a_playbook
from tests.stack import ClientFor, People, calling, populate, serving
from worker import build


def pytest_configure() -> None:
    """Tests run on the loop that Tandem's processes run on (`runtime.aio.run`)."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, those that take no time last: both processors end together."""
    marked = (item for item in items for mark in ("slow", "browser") if item.get_closest_marker(mark))
    long = {item.path for item in marked}
    domain = Path(__file__).parent / "domain"
    items.sort(key=lambda item: (item.path not in long, item.path.parent == domain))


@pytest.fixture
def worker_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MutableMapping[str, Any]]]:
    """What the worker logs, by a logger of the test's own: its usual one keeps to where it first wrote."""
    monkeypatch.setattr("worker.log", structlog.get_logger("worker"))
    with structlog.testing.capture_logs() as logged:
        yield logged


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tandem")


@pytest_asyncio.fixture(scope="session")
async def settings(home: Path) -> AsyncIterator[Settings]:
    """Settings over a PostgreSQL and a Temporal of the suite's own, migrated."""
    async with (
        embedded_postgres(home, durable=False) as url,
        embedded_temporal(home, durable=False) as temporal,
    ):
        upgrade(url)
        yield Settings(home=home, database_url=url, temporal_address=temporal, rate_limit="1000000/minute")


@pytest_asyncio.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url is not None
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="session")
async def temporal(settings: Settings) -> Client:
    """The suite's client of Temporal."""
    return await connect(settings)


@pytest_asyncio.fixture(scope="session")
async def worker(temporal: Client, database: Database, settings: Settings) -> AsyncIterator[None]:
    """A worker in this process: what tests ask of deals is done by it."""
    async with build(temporal, database, settings):
        yield


@pytest_asyncio.fixture(scope="session")
async def playbook(database: Database) -> Playbook:
    """The playbook of `tests.factories`, published: every kind of exit, and a hand-off."""
    definition = PlaybookDefinition.model_validate(a_playbook().model_dump(exclude={"version"}))
    async with database.transaction() as session:
        row, _ = await playbooks.publish(session, definition, by=None, now=datetime.now(UTC))
        return playbooks.of_row(row)


@pytest_asyncio.fixture(scope="session")
async def people(database: Database) -> People:
    """The vendor, Aster and Borealis, and their people (`await people.of("rep@vendor.example")`)."""
    return await populate(database)


@pytest_asyncio.fixture(scope="session")
async def address(settings: Settings) -> AsyncIterator[str]:
    """Where the API answers."""
    async with serving(create_app(settings)) as address:
        yield address


@pytest_asyncio.fixture
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody: a client without credentials, for one test: it may sign in."""
    async with calling(address) as nobody:
        yield nobody


@pytest_asyncio.fixture(scope="session")
async def as_(address: str, people: People) -> AsyncIterator[ClientFor]:
    """A client that sends somebody's API key: `rep = await as_("rep@vendor.example")`."""
    async with contextlib.AsyncExitStack() as clients:
        known: dict[str, httpx.AsyncClient] = {}

        async def client_for(email: str) -> httpx.AsyncClient:
            if email not in known:
                person = await people.of(email)
                known[email] = await clients.enter_async_context(calling(address, headers=person.headers))
            return known[email]

        yield client_for
