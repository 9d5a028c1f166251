"""A database that is new, until it is ready for its first deal."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from db import playbooks
from db.migrate import upgrade
from db.pages import PageRequest
from db.session import Database, psycopg_url
from domain.errors import AlreadyExists
from ops.playbooks import SHIPPED
from ops.setup import make_ready, setup
from runtime.playbooks import read_playbook
from runtime.settings import Settings

VENDOR = {"vendor": "Vendor", "email": "admin@vendor.example", "name": "Ada", "password": "plenty of words"}


@pytest.fixture
def empty(settings: Settings) -> str:
    """The address of a database that nobody has used."""
    assert settings.database_url is not None
    name = f"new_{uuid4().hex}"
    with create_engine(psycopg_url(settings.database_url), isolation_level="AUTOCOMMIT").connect() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    return make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)


async def published(database: Database) -> dict[str, int]:
    async with database.read() as session:
        found = await playbooks.page(session, PageRequest(limit=100))
    return {book.key: book.version for book in found.items}


async def test_a_new_database_has_the_playbooks_that_ship_and_keeps_what_the_vendor_makes_of_them(
    empty: str,
) -> None:
    await make_ready(empty)
    database = Database(empty)
    try:
        assert await published(database) == {"cloud-msp": 1, "it-software": 1, "manufacturing": 1}
        ours = read_playbook(SHIPPED / "it-software.yaml").model_copy(update={"title": "As we do it"})
        async with database.transaction() as session:
            await playbooks.publish(session, ours, by=None, now=datetime.now(UTC))
        await make_ready(empty)
        await setup(database, **VENDOR)
        assert (await published(database))["it-software"] == 2
        with pytest.raises(AlreadyExists, match="belongs to Vendor already"):
            await setup(database, **VENDOR)
    finally:
        await database.close()


async def test_a_vendor_may_have_none_but_its_own_playbooks(empty: str) -> None:
    upgrade(empty)
    database = Database(empty)
    ours = read_playbook(SHIPPED / "it-software.yaml").model_copy(update={"key": "ours"})
    try:
        async with database.transaction() as session:
            await playbooks.publish(session, ours, by=None, now=datetime.now(UTC))
        await make_ready(empty)
        assert await published(database) == {"ours": 1}
    finally:
        await database.close()
