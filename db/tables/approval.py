"""The read model of approvals: written by `db.approval.record`, and by nothing else."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Instant, instant

PERCENT = Numeric(5, 2)


class ApprovalRow(SQLModel, table=True):
    """A request as lists read it. `state_json` is all of it, and is read for one at a time."""

    __tablename__ = "approval"
    __table_args__ = (
        Index("ix_approval_opportunity_id", "opportunity_id"),
        Index("ix_approval_partner_id", "partner_id"),
        Index("ix_approval_requester_id", "requester_id"),
        Index("ix_approval_state_updated_at", "state", text("updated_at desc"), text("id desc")),
        Index("ix_approval_updated_at", text("updated_at desc"), text("id desc")),
    )

    id: UUID = Field(primary_key=True)
    version: int
    state: str
    open: bool
    kind: str
    opportunity_id: UUID | None = None
    discount_id: UUID | None = None
    partner_id: UUID | None = None
    internal: bool
    requester_id: UUID | None = None
    requester: str
    asked_for_id: UUID | None = None
    title: str
    percent: Decimal | None = Field(default=None, sa_type=PERCENT)
    policy_key: str | None = None
    policy_version: int | None = None
    waits_for: str | None = None
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    next_due_at: datetime | None = Field(default=None, sa_type=Instant)
    state_json: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = instant()
    updated_at: datetime = instant()


class ApprovalSeatRow(SQLModel, table=True):
    """Somebody who may decide on an open step now, or the requester who is awaited (step `requester`)."""

    __tablename__ = "approval_seat"
    __table_args__ = (Index("ix_approval_seat_user_id", "user_id", "due_at"),)

    approval_id: UUID = Field(primary_key=True)
    step_key: str = Field(primary_key=True)
    user_id: UUID = Field(primary_key=True)
    step: str
    side: str
    stands_in_for_id: UUID | None = None
    stands_in_for: str | None = None
    since: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
