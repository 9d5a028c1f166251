"""The read model of opportunities: written by `db.opportunity.record`, and by nothing else."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from db.tables.base import External, Instant, instant

AMOUNT = Numeric(14, 2)


class OpportunityRow(External, SQLModel, table=True):
    """A deal as lists and boards read it.

    `card` is the small part of the state that a list shows besides the columns;
    `state` is all of it, without its playbook, and is read for one deal at a time.
    """

    __tablename__ = "opportunity"
    __table_args__ = (
        Index(
            "uq_opportunity_external",
            "external_source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_opportunity_updated_at", text("updated_at desc"), text("id desc")),
        Index("ix_opportunity_status_updated_at", "status", text("updated_at desc"), text("id desc")),
        Index("ix_opportunity_owner_id_updated_at", "owner_id", text("updated_at desc"), text("id desc")),
        Index(
            "ix_opportunity_board_stage",
            "playbook_key",
            "stage_key",
            text("updated_at desc"),
            text("id desc"),
            postgresql_where=text("not closed"),
        ),
        Index(
            "ix_opportunity_board_phase",
            "phase",
            text("updated_at desc"),
            text("id desc"),
            postgresql_where=text("not closed"),
        ),
        Index(
            "ix_opportunity_board_sums",
            "playbook_key",
            "stage_key",
            "phase",
            "currency",
            postgresql_include=["amount", "owner_id"],
            postgresql_where=text("not closed"),
        ),
        Index(
            "ix_opportunity_search_trigram",
            "search",
            postgresql_using="gin",
            postgresql_ops={"search": "gin_trgm_ops"},
        ),
        Index("ix_opportunity_account_id", "account_id"),
        Index(
            "ix_opportunity_discounts_customer",
            text("lower(customer)"),
            postgresql_where=text("discounts > 0"),
        ),
        Index("ix_opportunity_discounts", "id", postgresql_where=text("discounts > 0")),
        Index("ix_opportunity_title", "title", "id"),
        Index("ix_opportunity_created_at", "created_at", "id"),
        Index("ix_opportunity_amount", text("coalesce(amount, 0)"), "id"),
        Index("ix_opportunity_expected_close", text("coalesce(expected_close, '9999-12-31')"), "id"),
    )

    id: UUID = Field(primary_key=True)
    version: int
    status: str
    closed: bool
    title: str
    customer: str
    search: str
    account_id: UUID | None = None
    amount: Decimal | None = Field(default=None, sa_type=AMOUNT)
    currency: str | None = None
    expected_close: date | None = None
    owner_id: UUID | None = None
    owner: str | None = None
    playbook_key: str
    playbook_version: int
    stage_key: str
    stage: str
    phase: str
    probability: int
    turn: str | None = None
    waits_for: str | None = None
    next_step: str | None = None
    next_due_at: datetime | None = Field(default=None, sa_type=Instant)
    discounts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """How many discounts were asked for, and are in `state`."""
    card: dict[str, Any] = Field(sa_type=JSONB)
    state: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = instant()
    updated_at: datetime = instant()


class OpportunityPartnerRow(SQLModel, table=True):
    """Which partners take part: what a partner may see hangs on this.

    The columns after `role` are the deal's own, repeated so that each row can be counted
    by itself (`PipelineTotal`).
    """

    __tablename__ = "opportunity_partner"
    __table_args__ = (Index("ix_opportunity_partner_partner_id", "partner_id", "opportunity_id"),)

    opportunity_id: UUID = Field(primary_key=True)
    partner_id: UUID = Field(primary_key=True)
    name: str
    role: str
    status: str
    closed: bool
    amount: Decimal | None = Field(default=None, sa_type=AMOUNT)
    currency: str | None = None
    playbook_key: str
    stage_key: str
    phase: str


class WorkItemRow(SQLModel, table=True):
    """One thing that waits for somebody; see `domain.opportunity.work`."""

    __tablename__ = "work_item"
    __table_args__ = (
        Index("ix_work_item_assignee_id", "assignee_id"),
        Index("ix_work_item_owner_id", "owner_id"),
        Index("ix_work_item_partner_id", "partner_id"),
        Index("ix_work_item_role", "role"),
    )

    opportunity_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    title: str
    side: str
    partner_id: UUID | None = None
    assignee_id: UUID | None = None
    owner_id: UUID | None = None
    role: str | None = None
    required: bool
    since: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
