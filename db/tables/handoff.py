"""The read model of hand-offs: written by `db.handoff.record`, and by nothing else."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant


class HandOffRow(SQLModel, table=True):
    """A hand-off as lists read it. `state_json` is all of it, and is read for one at a time."""

    __tablename__ = "handoff"
    __table_args__ = (
        Index("ix_handoff_open_progress", "progress", "due_at", postgresql_where=text("open")),
        Index("ix_handoff_receiver_id", "receiver_id"),
        Index("ix_handoff_renewal_at", "renewal_at", postgresql_where=text("renewal_at is not null")),
        Index("ix_handoff_renewal_id", "renewal_id"),
        Index("ix_handoff_created_at", text("created_at desc"), text("id desc")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    opportunity_id: UUID = Field(unique=True)
    progress: str
    open: bool
    since: datetime = Field(sa_type=Instant)
    receiver_id: UUID | None = None
    receiver: str | None = None
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    next_due_at: datetime | None = Field(default=None, sa_type=Instant)
    accepted_at: datetime | None = Field(default=None, sa_type=Instant)
    health: str | None = None
    contract_ends: date | None = None
    renewal_at: datetime | None = Field(default=None, sa_type=Instant)
    renewal_id: UUID | None = None
    state_json: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = instant()
    updated_at: datetime = instant()


class FollowUpRow(SQLModel, table=True):
    """A check-in with a customer; `awaited` while somebody should have held it by now."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_awaited", "receiver_id", "due_at", postgresql_where=text("awaited")),
    )

    handoff_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    opportunity_id: UUID
    receiver_id: UUID | None = None
    title: str
    state: str
    awaited: bool
    due_at: datetime = Field(sa_type=Instant)
    health: str | None = None
    done_at: datetime | None = Field(default=None, sa_type=Instant)
