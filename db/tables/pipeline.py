"""How much is in the pipeline, kept beside the deals: written by the database itself, with each deal."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, Numeric
from sqlmodel import Field, SQLModel


class PipelineTotal(SQLModel, table=True):
    """Some deals alike in playbook, stage, phase, status and currency: how many, and their value.

    Rows are added, never changed: a deal that moves leaves a row of minus one where it
    was and a row of plus one where it is, so that commands never wait for each other.
    What holds is the sum of all rows that are alike; `db.pipeline_totals.fold` makes them
    one row again, now and then. Without a partner they count every deal, with one the deals
    that this partner takes part in. Triggers on `opportunity` and `opportunity_partner` write
    them: see the migration that made them.
    """

    __tablename__ = "pipeline_total"
    __table_args__ = (Index("ix_pipeline_total_partner_id", "partner_id", "closed", "playbook_key"),)

    id: int | None = Field(
        default=None, sa_column=Column("id", BigInteger(), Identity(always=True), primary_key=True)
    )
    partner_id: UUID | None = None
    playbook_key: str
    stage_key: str
    phase: str
    status: str
    closed: bool
    currency: str | None = None
    deals: int
    amount: Decimal = Field(sa_type=Numeric)
