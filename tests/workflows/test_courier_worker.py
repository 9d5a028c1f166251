"""A whole worker on a real server: who is told gets a mail, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url
from temporalio.client import Client

import worker
from activities.notify import NotifyActivities
from db.session import Database, psycopg_url
from domain.notice import Message, NoticeKind
from domain.principal import Role
from runtime.settings import Settings
from tests.couriers import SENDER
from tests.patience import PATIENCE
from tests.smtp import PostOffice, post_office
from tests.stack import People, Person
from worker import build, nobody_forgotten
from workflows.courier_wake import wake_courier


@pytest.fixture
async def post() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def mailing(settings: Settings, post: PostOffice) -> Settings:
    """Settings of a worker that mails, on a queue of its own."""
    url = f"smtp://127.0.0.1:{post.server.port}"
    more = {"smtp_url": url, "mail_from": SENDER, "task_queue": f"mailing-{uuid4().hex}"}
    return settings.model_copy(update=more)


@pytest.fixture
async def rep(people: People) -> Person:
    return await people.add(f"{uuid4().hex}@vendor.example", Role.SALES_REP)


def message(person: Person) -> Message:
    return Message(
        kind=NoticeKind.APPROVED, cause=str(uuid4()), recipients=(person.id,), title="ERP rollout", words="W"
    )


async def arrived(post: PostOffice, person: Person) -> None:
    async with asyncio.timeout(PATIENCE):
        while not post.to(person.email):
            post.took.clear()
            await post.took.wait()


async def test_who_is_told_gets_a_mail(
    temporal: Client, database: Database, mailing: Settings, post: PostOffice, rep: Person
):
    wake = partial(wake_courier, temporal, mailing.task_queue)
    async with build(temporal, database, mailing):
        await NotifyActivities(database, mails=True, wake=wake).notify(message(rep))
        await arrived(post, rep)
    assert [mail["Subject"] for mail in post.to(rep.email)] == ["Approved: ERP rollout"]


async def test_whose_courier_was_not_woken_is_not_forgotten(
    temporal: Client, database: Database, mailing: Settings, post: PostOffice, rep: Person
):
    await NotifyActivities(database, mails=True).notify(message(rep))
    async with build(temporal, database, mailing), nobody_forgotten(temporal, database, mailing):
        await arrived(post, rep)


def said(logged: list[Any]) -> list[Any]:
    """What is logged of who was forgotten: other parts of this process log as well."""
    return [each for each in logged if each["event"] == "forgotten.not_told"]


async def test_a_worker_waits_for_the_database_to_be_migrated_before_it_warns(
    temporal: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, worker_log: list[Any]
):
    patience = 0.3
    monkeypatch.setattr(worker, "PATIENCE", patience)
    monkeypatch.setattr(worker, "NOT_MIGRATED", timedelta(milliseconds=20))
    clock = asyncio.get_running_loop().time
    began = clock()
    assert settings.database_url is not None
    empty = make_url(psycopg_url(settings.database_url)).set(database="postgres")
    database = Database(empty.render_as_string(hide_password=False).replace("+psycopg", ""))
    async with nobody_forgotten(temporal, database, settings), asyncio.timeout(PATIENCE):
        while not (warned := said(worker_log)):  # noqa: ASYNC110 - it says so as soon as it has looked
            await asyncio.sleep(0.02)
    await database.close()
    assert clock() - began >= patience
    assert warned[0] == {"event": "forgotten.not_told", "why": "ProgrammingError", "log_level": "warning"}
