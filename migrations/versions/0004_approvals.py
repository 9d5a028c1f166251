"""Approvals; one timeline for a deal and the requests on it.

Revision: 0004
After: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("discount_id", sa.Uuid(), nullable=True),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=True),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("asked_for_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("policy_key", sa.String(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("waits_for", sa.String(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state_json", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index("ix_approval_opportunity_id", "approval", ["opportunity_id"])
    op.create_index("ix_approval_partner_id", "approval", ["partner_id"])
    op.create_index("ix_approval_requester_id", "approval", ["requester_id"])
    op.create_index(
        "ix_approval_state_updated_at", "approval", ["state", sa.text("updated_at desc"), sa.text("id desc")]
    )
    op.create_index("ix_approval_updated_at", "approval", [sa.text("updated_at desc"), sa.text("id desc")])
    op.create_table(
        "approval_seat",
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("step_key", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("stands_in_for_id", sa.Uuid(), nullable=True),
        sa.Column("stands_in_for", sa.String(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", "step_key", "user_id", name=op.f("pk_approval_seat")),
    )
    op.create_index("ix_approval_seat_user_id", "approval_seat", ["user_id", "due_at"])
    op.add_column("timeline", sa.Column("opportunity_id", sa.Uuid(), nullable=True))
    op.add_column("timeline", sa.Column("partner_id", sa.Uuid(), nullable=True))
    op.add_column(
        "timeline", sa.Column("internal", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute("UPDATE timeline SET opportunity_id = stream_id")
    op.create_index(
        "ix_timeline_opportunity_id", "timeline", ["opportunity_id", "at", "stream_id", "sequence"]
    )


def downgrade() -> None:
    # What approvals told is of streams that the schema before does not know.
    op.execute("DELETE FROM timeline WHERE opportunity_id IS DISTINCT FROM stream_id")
    op.drop_index("ix_timeline_opportunity_id", table_name="timeline")
    op.drop_column("timeline", "internal")
    op.drop_column("timeline", "partner_id")
    op.drop_column("timeline", "opportunity_id")
    op.drop_table("approval_seat")
    op.drop_table("approval")
