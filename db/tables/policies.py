"""Published discount policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import instant


class PolicyVersion(SQLModel, table=True):
    """One version of a discount policy. Rows are never changed: a change is a new version."""

    __tablename__ = "policy_version"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    title: str
    definition: dict[str, Any] = Field(sa_type=JSONB)
    published_at: datetime = instant()
    published_by: UUID | None = Field(default=None, foreign_key="user.id")
