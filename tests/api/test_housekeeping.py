"""What has had its time is forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
from sqlalchemy import make_url, text, update
from sqlmodel import col, select

from api.housekeeping import housekeeping, tidy
from api.sessions import LIFETIME
from db import idempotency, sessions
from db.session import Database
from db.tables import IdempotentRequest, UserSession
from runtime import tokens
from tests.patience import PATIENCE
from tests.stack import ClientFor, People


async def test_answers_are_kept_for_a_day_and_not_for_ever(as_: ClientFor, database: Database) -> None:
    rep, key = await as_("rep@vendor.example"), str(uuid4())
    await rep.post("/api/v1/accounts", json={"name": "Acme"}, headers={"Idempotency-Key": key})
    mine = col(IdempotentRequest.key) == key
    for age, kept in ((timedelta(hours=25), True), (idempotency.KEPT_FOR + timedelta(seconds=1), False)):
        async with database.transaction() as session:
            made = datetime.now(UTC) - age
            await session.execute(update(IdempotentRequest).where(mine).values(created_at=made))
        await tidy(database, datetime.now(UTC))
        async with database.read() as session:
            found = (await session.execute(select(IdempotentRequest).where(mine))).one_or_none()
        assert (found is not None) is kept


async def test_sessions_that_have_ended_are_forgotten_by_itself(database: Database, people: People) -> None:
    rep, now = await people.of("rep@vendor.example"), datetime.now(UTC)
    hashes = {name: tokens.digest(str(uuid4())) for name in ("ended", "lasting")}
    async with database.transaction() as session:
        await sessions.add(session, hashes["ended"], rep.id, now, now - timedelta(seconds=1))
        await sessions.add(session, hashes["lasting"], rep.id, now, now + LIFETIME)
    statement = select(UserSession.token_hash).where(col(UserSession.token_hash).in_(hashes.values()))
    async with housekeeping(database, timedelta(milliseconds=10)), asyncio.timeout(PATIENCE):
        left: list[bytes] = []
        while left != [hashes["lasting"]]:
            async with database.read() as session:
                left = list((await session.execute(statement)).scalars())


async def test_a_database_that_is_away_stops_nothing(tmp_path: Path) -> None:
    away = Database(f"postgresql://nobody@/none?host={tmp_path}")
    async with housekeeping(away, timedelta(milliseconds=1)):
        await asyncio.sleep(0.05)
    await away.close()


async def test_a_database_without_tables_stops_nothing(database: Database) -> None:
    name = f"empty_{uuid4().hex}"
    async with database.single() as session:
        await session.execute(text(f"CREATE DATABASE {name}"))
    empty = Database(make_url(database.url).set(database=name).render_as_string(hide_password=False))
    async with housekeeping(empty, timedelta(milliseconds=1)):
        await asyncio.sleep(0.05)
    await empty.close()


async def test_anonymous_cannot_ask_for_it(client: httpx.AsyncClient) -> None:
    assert (await client.post("/housekeeping")).status_code == 404
