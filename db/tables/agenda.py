"""What falls due, as calendars show it, and the secret addresses by which people read theirs elsewhere."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant


class AgendaItemRow(SQLModel, table=True):
    """One thing that falls due on a deal; see `domain.opportunity.planned`. Written by `record` only.

    `at` is always set, also where `day` says that it is a day's, in no particular zone.
    """

    __tablename__ = "agenda_item"
    __table_args__ = (
        Index("ix_agenda_item_at", "at"),
        Index("ix_agenda_item_assignee_id_at", "assignee_id", "at"),
        Index("ix_agenda_item_owner_id_at", "owner_id", "at"),
        Index("ix_agenda_item_partner_id_at", "partner_id", "at"),
    )

    opportunity_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    title: str
    at: datetime = Field(sa_type=Instant)
    day: date | None = None
    side: str | None = None
    partner_id: UUID | None = None
    assignee_id: UUID | None = None
    owner_id: UUID | None = None


class CalendarFeed(SQLModel, table=True):
    """A secret address of somebody's calendar. It is shown once; this row holds only its SHA-256."""

    __tablename__ = "calendar_feed"
    __table_args__ = (Index("ix_calendar_feed_user_id_id", "user_id", "id"),)

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="user.id", ondelete="CASCADE")
    name: str
    hint: str
    """The first characters of the secret, by which its owner recognises it in an address."""
    token_hash: bytes = Field(unique=True)
    created_at: datetime = instant()
    last_read_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
