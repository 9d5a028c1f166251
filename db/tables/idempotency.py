"""Requests that carry an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from db.tables.base import instant


class IdempotentRequest(SQLModel, table=True):
    """One key of one principal: what was asked, which id was minted for it, and what was answered.

    `status` is null from the claim until an answer is stored.
    """

    __tablename__ = "idempotency"

    principal_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes
    resource_id: UUID
    status: int | None = None
    headers: str | None = None
    body: bytes | None = None
    created_at: datetime = instant(index=True)
