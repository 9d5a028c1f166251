"""What people were told, how far it has come by mail and chat, and the links that mails carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Edited, Instant, instant
from domain.notice import DeliveryState


class Notice(SQLModel, table=True):
    """Something that one person was told, once for each cause; see `domain.notice`."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("user_id", "cause"),
        Index("ix_notice_user_id_id", "user_id", "id"),
        Index("ix_notice_unread", "user_id", postgresql_where=text("read_at is null and in_app")),
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
    in_app: bool = True
    """Whether it is listed in Tandem itself; somebody may want it by mail alone."""
    event: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    """As `domain.notice.CalendarEvent`: mails carry it as a file."""


class NoticeDelivery(SQLModel, table=True):
    """A notice on its way by one channel, or arrived, or given up.

    `batch_id` is the message that it goes out in: fixed before the first try, so that however
    often that is repeated, it is the same message.
    """

    __tablename__ = "notice_delivery"
    __table_args__ = (
        CheckConstraint("channel in ('mail', 'chat')", name="channel"),
        Index("ix_notice_delivery_waiting", "user_id", postgresql_where=text("state = 'waiting'")),
        Index("ix_notice_delivery_failed", "notice_id", postgresql_where=text("state = 'failed'")),
        Index("ix_notice_delivery_batch_id", "batch_id"),
    )

    notice_id: UUID = Field(primary_key=True, foreign_key="notice.id", ondelete="CASCADE")
    channel: str = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    timing: str
    """As `domain.notification.preferences.Timing`."""
    state: str = DeliveryState.WAITING
    due_at: datetime = Field(sa_type=Instant)
    batch_id: UUID | None = None
    attempts: int = 0
    error: str | None = None
    """What the server said last, or why it was given up."""
    sent_at: datetime | None = Field(default=None, sa_type=Instant)


class NotificationPreference(Edited, SQLModel, table=True):
    """What one person has chosen; `id` is the person's. Who has no row has chosen nothing."""

    __tablename__ = "notification_preference"

    id: UUID = Field(primary_key=True, foreign_key="user.id", ondelete="CASCADE")
    choices: dict[str, dict[str, str]] = Field(default_factory=dict, sa_type=JSONB)
    digest_at: str = "08:00"
    quiet_starts: str | None = None
    quiet_ends: str | None = None
    chat_address: str | None = None
    """A secret: who knows it may write to the person's chat."""


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
