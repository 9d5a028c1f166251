"""Signed-in browsers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant


class UserSession(SQLModel, table=True):
    """A browser that is signed in. The cookie holds the secret; this row holds only its SHA-256."""

    __tablename__ = "session"

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    created_at: datetime = instant()
    last_used_at: datetime = instant()
    expires_at: datetime = Field(sa_type=Instant, index=True)
