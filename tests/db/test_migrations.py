"""The tables in code are the tables in the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from db import migrate
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


def test_a_database_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrate.upgrade(f"postgresql://nobody@/none?host={tmp_path}")
