"""What people were told, how far its mail has come, and the links that mails carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant
from domain.notice import MailState


class Notice(SQLModel, table=True):
    """Something that one person was told, once for each cause; see `domain.notice`."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "cause"),
        Index("ix_notice_user_id_id", "user_id", "id"),
        Index("ix_notice_unread", "user_id", postgresql_where=text("read_at is null")),
        Index("ix_notice_waiting", "mail_next_at", postgresql_where=text("mail_state = 'waiting'")),
        Index("ix_notice_failed", "id", postgresql_where=text("mail_state = 'failed'")),
        Index("ix_notice_created_at", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    cause: str
    kind: str
    title: str
    words: str
    facts: list[dict[str, Any]] = Field(sa_type=JSONB)
    opportunity_id: UUID | None = None
    approval_id: UUID | None = None
    step_key: str | None = None
    round: int | None = None
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = instant()
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    mail_state: str = MailState.NONE
    mail_attempts: int = 0
    mail_next_at: datetime | None = Field(default=None, sa_type=Instant)
    """When it is tried next; while somebody is at it, when another may take it for abandoned."""
    mail_error: str | None = None
    mailed_at: datetime | None = Field(default=None, sa_type=Instant)


class MailLink(SQLModel, table=True):
    """A link in a mail, by which one person may take part in one decision, once, without signing in."""

    __tablename__ = "mail_link"

    id: UUID = Field(primary_key=True)
    notice_id: UUID = Field(foreign_key="notice.id", ondelete="CASCADE", unique=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE", index=True)
    approval_id: UUID
    step_key: str
    round: int | None = None
    created_at: datetime = instant()
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    used_for: str | None = None
