"""The timeline: what happened, append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Instant


class TimelineRow(SQLModel, table=True):
    """One event of one stream: of a deal, or of a request on it (then `opportunity_id` is the deal's).

    Partners read what is not `internal` and is for every partner, or for theirs (`partner_id`).

    `transaction` and `position` give every reader the same order without gaps: a
    position alone is drawn before the commit, so a reader could pass one that
    appears later. Readers stop before the oldest transaction still running.
    """

    __tablename__ = "timeline"
    __table_args__ = (
        Index("ix_timeline_feed", "transaction", "position"),
        Index("ix_timeline_opportunity_id", "opportunity_id", "at", "stream_id", "sequence"),
    )

    stream_id: UUID = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    opportunity_id: UUID | None = None
    partner_id: UUID | None = None
    internal: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    position: int = Field(sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    transaction: int = Field(
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("(pg_current_xact_id()::text::bigint)")},
    )
    at: datetime = Field(sa_type=Instant)
    type: str
    actor_id: UUID | None = None
    actor: str
    actor_side: str | None = None
    actor_organisation_id: UUID | None = None
    actor_organisation: str | None = None
    words: str
    data: dict[str, Any] = Field(sa_type=JSONB)
