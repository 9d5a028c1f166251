"""Accounts: the companies that are sold to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import Edited, External


class Account(Edited, External, SQLModel, table=True):
    """A customer, or one to be. `custom` holds what the vendor's own systems add."""

    __tablename__ = "account"
    __table_args__ = (
        Index(
            "uq_account_external",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_account_name_id", "name", "id"),
        Index(
            "ix_account_name_trigram", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        ),
        Index("ix_account_domain", "domain"),
    )

    id: UUID = Field(primary_key=True)
    name: str
    domain: str | None = None
    country: str | None = None
    industry: str | None = None
    custom: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_by: UUID | None = Field(default=None, foreign_key="user.id")
