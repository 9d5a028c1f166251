"""The unit of work."""

from __future__ import annotations

import contextlib
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from db import accounts
from db.session import Database, psycopg_url
from db.tables import Account
from domain.errors import InvalidInput, StaleVersion
from runtime.ids import new_id
from tests.stack import People


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    name = uuid4().hex
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction() as session:
            await accounts.add(session, Account(id=new_id(), name=name))
            _ = 1 / 0
    async with database.read() as session:
        found = await session.execute(select(Account).where(col(Account.name) == name))
    assert found.one_or_none() is None


async def test_what_cannot_be_stored_is_the_callers_mistake(database: Database) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        async with database.transaction() as session:
            await accounts.add(session, Account(id=new_id(), name="a\0b"))


async def test_instants_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    account = Account(id=new_id(), name="Acme")
    async with database.transaction() as session:
        kept = await accounts.add(session, account)
    assert kept.created_at == account.created_at
    assert str(kept.created_at.tzinfo) == "UTC"
    naive = Account(id=new_id(), name="Acme", created_at=datetime(2027, 1, 1))  # noqa: DTZ001 - the point
    with pytest.raises(Exception, match="needs its time zone"):
        async with database.transaction() as session:
            await accounts.add(session, naive)


async def test_of_two_who_change_the_same_one_is_told(database: Database, people: People) -> None:
    admin = (await people.of("admin@vendor.example")).principal
    async with database.transaction() as session:
        account = await accounts.add(session, Account(id=new_id(), name="Acme"))
    async with database.transaction() as first, database.transaction() as second:
        mine = await accounts.get(first, admin, account.id)
        theirs = await accounts.get(second, admin, account.id)
        await accounts.change(first, mine, {"name": "Mine"}, mine.updated_at)
        await first.commit()
        with pytest.raises(StaleVersion):
            await accounts.change(second, theirs, {"name": "Theirs"}, theirs.updated_at)


async def test_reading_opens_no_transaction(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("SELECT 1"))
        status = await session.execute(
            text("SELECT xact_start = query_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        )
        assert status.scalar_one()


async def test_a_server_that_is_gone_without_a_word_is_noticed_soon(database: Database) -> None:
    async with database.read() as session:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
    assert raw is not None
    asked = raw.info.get_parameters()
    assert (asked["tcp_user_timeout"], asked["keepalives_idle"]) == ("15000", "10")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_spelling_of_the_address_is_taken(scheme: str) -> None:
    assert psycopg_url(f"{scheme}://h/d") == "postgresql+psycopg://h/d"


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="must start with postgresql"):
        psycopg_url("sqlite:///x")
