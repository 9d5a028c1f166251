"""The tables in code are the tables in the database."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from db import migrate
from db.session import psycopg_url
from db.tables import metadata
from domain.errors import Unavailable
from runtime.settings import Settings


def test_migrations_lead_to_the_tables_in_code(settings: Settings) -> None:
    assert settings.database_url is not None
    migrate.check(settings.database_url)


def test_migrating_again_changes_nothing(settings: Settings) -> None:
    assert settings.database_url is not None
    migrate.upgrade(settings.database_url)
    engine = create_engine(settings.database_url, poolclass=NullPool)
    assert {table.name for table in metadata.sorted_tables} <= set(inspect(engine).get_table_names())


def test_revisions_are_one_line() -> None:
    assert len(ScriptDirectory.from_config(migrate.configuration()).get_heads()) == 1
    assert migrate.head() is not None


def test_a_timeline_restored_from_another_server_is_told_first_and_in_its_order(settings: Settings) -> None:
    assert settings.database_url is not None
    name = f"restored_{uuid4().hex}"
    with create_engine(psycopg_url(settings.database_url), isolation_level="AUTOCOMMIT").connect() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(settings.database_url).set(database=name).render_as_string(hide_password=False)
    migrate.upgrade(url)
    engine = create_engine(psycopg_url(url), poolclass=NullPool)
    tell = text(
        "INSERT INTO timeline (stream_id, sequence, transaction, at, type, actor, words, data) "
        "VALUES (:stream, :sequence, :transaction, now(), 'note_added', 'Ana', 'Noted.', '{}')"
    )
    stream = uuid4()
    with engine.begin() as connection:
        connection.execute(tell, {"stream": stream, "sequence": 1, "transaction": 7})
    migrate.upgrade(url)
    told = text("SELECT sequence, transaction FROM timeline ORDER BY transaction, position")
    with engine.begin() as connection:
        assert connection.execute(told).all() == [(1, 7)]
        connection.execute(tell, {"stream": stream, "sequence": 2, "transaction": 10**12})
    migrate.upgrade(url)
    with engine.begin() as connection:
        assert connection.execute(told).all() == [(1, 0), (2, 0)]


def test_a_database_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrate.upgrade(f"postgresql://nobody@/none?host={tmp_path}")
