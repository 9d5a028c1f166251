"""Hand-offs and follow-ups.

Revision: 0010
After: 0009
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool) -> "sa.Column[datetime]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "handoff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        _instant("since", nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=True),
        sa.Column("receiver", sa.String(), nullable=True),
        _instant("due_at", nullable=True),
        _instant("next_due_at", nullable=True),
        _instant("accepted_at", nullable=True),
        sa.Column("health", sa.String(), nullable=True),
        sa.Column("contract_ends", sa.Date(), nullable=True),
        _instant("renewal_at", nullable=True),
        sa.Column("renewal_id", sa.Uuid(), nullable=True),
        sa.Column("state_json", postgresql.JSONB(), nullable=False),
        _instant("created_at", nullable=False),
        _instant("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff")),
        sa.UniqueConstraint("opportunity_id", name=op.f("uq_handoff_opportunity_id")),
    )
    op.create_index(
        "ix_handoff_open_progress", "handoff", ["progress", "due_at"], postgresql_where=sa.text("open")
    )
    op.create_index("ix_handoff_receiver_id", "handoff", ["receiver_id"])
    op.create_index(
        "ix_handoff_renewal_at",
        "handoff",
        ["renewal_at"],
        postgresql_where=sa.text("renewal_at is not null"),
    )
    op.create_index("ix_handoff_renewal_id", "handoff", ["renewal_id"])
    op.create_index("ix_handoff_created_at", "handoff", [sa.text("created_at desc"), sa.text("id desc")])
    op.create_table(
        "follow_up",
        sa.Column("handoff_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("receiver_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("awaited", sa.Boolean(), nullable=False),
        _instant("due_at", nullable=False),
        sa.Column("health", sa.String(), nullable=True),
        _instant("done_at", nullable=True),
        sa.PrimaryKeyConstraint("handoff_id", "key", name=op.f("pk_follow_up")),
    )
    op.create_index(
        "ix_follow_up_awaited",
        "follow_up",
        ["receiver_id", "due_at"],
        postgresql_where=sa.text("awaited"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM timeline WHERE stream_id IN (SELECT id FROM handoff)")
    op.drop_table("follow_up")
    op.drop_table("handoff")
