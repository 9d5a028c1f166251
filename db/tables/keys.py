"""API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant


class ApiKey(SQLModel, table=True):
    """A person's key for programs. The secret is shown once; this row holds only its SHA-256."""

    __tablename__ = "api_key"
    __table_args__ = (Index("ix_api_key_user_id_id", "user_id", "id"),)

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    name: str
    hint: str
    """The first characters of the secret, by which its owner recognises it."""
    token_hash: bytes = Field(unique=True)
    created_at: datetime = instant()
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
