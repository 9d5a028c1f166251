"""Mails that were on their way when couriers came are on their way still; and back again."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from alembic import command
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from db import migrate
from db.session import psycopg_url
from runtime.settings import Settings

BEFORE, AFTER = "0008", "0009"
STATES = ("none", "waiting", "sent", "failed", "dropped")


def a_database(settings: Settings, revision: str) -> str:
    """A fresh one at an older revision; its address."""
    assert settings.database_url is not None
    name = f"older_{uuid4().hex}"
    with create_engine(psycopg_url(settings.database_url), isolation_level="AUTOCOMMIT").connect() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
    migrate.upgrade(url, revision)
    return psycopg_url(url)


def tell(connection: Connection, user: UUID, state: str) -> UUID:
    """A notice as it was, whose mail has come so far."""
    the_id, now = uuid4(), datetime.now(UTC)
    row = {
        "id": the_id,
        "user": user,
        "cause": state,
        "state": state,
        "now": now,
        "next": now if state == "waiting" else None,
        "mailed": now if state == "sent" else None,
    }
    columns = "id, user_id, cause, kind, title, words, facts, created_at, mail_state, mail_attempts"
    connection.execute(
        text(
            f"INSERT INTO notice ({columns}, mail_next_at, mail_error, mailed_at) VALUES "
            "(:id, :user, :cause, 'approved', 'T', 'W', '[]', :now, :state, 3, :next, 'E', :mailed)"
        ),
        row,
    )
    return the_id


def somebody(connection: Connection) -> UUID:
    organisation, user = uuid4(), uuid4()
    connection.execute(
        text(
            "INSERT INTO organisation (id, kind, name, status, version, created_at, updated_at) "
            "VALUES (:id, 'vendor', 'V', 'active', 1, now(), now())"
        ),
        {"id": organisation},
    )
    connection.execute(
        text(
            'INSERT INTO "user" (id, organisation_id, email, name, roles, active, time_zone, version, '
            "created_at, updated_at) VALUES (:id, :of, 'a@v.example', 'A', '{admin}', true, 'UTC', 1, now(), "
            "now())"
        ),
        {"id": user, "of": organisation},
    )
    return user


def test_mails_are_carried_over_and_back(settings: Settings) -> None:
    url = a_database(settings, BEFORE)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        user = somebody(connection)
        ids = {state: tell(connection, user, state) for state in STATES}
        before = connection.execute(text("SELECT * FROM notice ORDER BY id")).mappings().all()
    migrate.upgrade(url, AFTER)
    with engine.begin() as connection:
        rows = {row.state: row for row in connection.execute(text("SELECT * FROM notice_delivery"))}
        assert set(rows) == set(STATES[1:])
        for state, row in rows.items():
            assert row.notice_id == row.batch_id == ids[state]
            assert (row.channel, row.timing, row.attempts, row.error) == ("mail", "at_once", 3, "E")
            assert (row.sent_at is None) is (state != "sent")
    with engine.begin() as connection:
        command.downgrade(migrate.configuration(connection), BEFORE)
    with engine.begin() as connection:
        after = connection.execute(text("SELECT * FROM notice ORDER BY id")).mappings().all()
    kept = [dict(row) for row in before if row["mail_state"] != "none"]
    assert [{name: row[name] for name in kept[0]} for row in after if row["mail_state"] != "none"] == kept
