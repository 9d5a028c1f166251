"""What all tables share: column types, names of constraints, versions.

There are no relationships: joins are written out in the statements that need
them, so nothing is ever loaded by surprise.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An instant, aware and in UTC on both ways. A naive datetime is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"An instant needs its time zone, and {value!r} has none."
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return value.astimezone(UTC) if value is not None else None


class TextArray(TypeDecorator[list[str]]):
    """A list of short words, such as roles."""

    impl = ARRAY(Text)
    cache_ok = True


def utc_now() -> datetime:
    """The current instant; for the defaults of columns that only say when a row was written."""
    return datetime.now(UTC)


def instant(**options: Any) -> Any:
    """A required column of type `Instant` that defaults to now."""
    return Field(default_factory=utc_now, sa_type=Instant, **options)


class Edited(SQLModel):
    """A row that people edit: its version rises by one with each change and is the ETag."""

    version: int = 1
    created_at: datetime = instant()
    updated_at: datetime = instant()


class External(SQLModel):
    """Where a row came from, so that importing it twice finds it again. Both are set, or neither."""

    external_source: str | None = None
    external_id: str | None = None
