"""Opportunities, what waits for whom, and the timeline.

Revision: 0002
After: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opportunity",
        sa.Column("external_source", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("search", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("expected_close", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("playbook_key", sa.String(), nullable=False),
        sa.Column("playbook_version", sa.Integer(), nullable=False),
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("probability", sa.Integer(), nullable=False),
        sa.Column("turn", sa.String(), nullable=True),
        sa.Column("waits_for", sa.String(), nullable=True),
        sa.Column("next_step", sa.String(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity")),
    )
    op.create_index("ix_opportunity_account_id", "opportunity", ["account_id"], unique=False)
    op.create_index(
        "ix_opportunity_amount", "opportunity", [sa.literal_column("coalesce(amount, 0)"), "id"], unique=False
    )
    op.create_index(
        "ix_opportunity_board_phase",
        "opportunity",
        ["phase", sa.literal_column("updated_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_where=sa.text("not closed"),
    )
    op.create_index(
        "ix_opportunity_board_stage",
        "opportunity",
        ["playbook_key", "stage_key", sa.literal_column("updated_at desc"), sa.literal_column("id desc")],
        unique=False,
        postgresql_where=sa.text("not closed"),
    )
    op.create_index(
        "ix_opportunity_board_sums",
        "opportunity",
        ["playbook_key", "stage_key", "phase", "currency"],
        unique=False,
        postgresql_include=["amount", "owner_id"],
        postgresql_where=sa.text("not closed"),
    )
    op.create_index("ix_opportunity_created_at", "opportunity", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_opportunity_expected_close",
        "opportunity",
        [sa.literal_column("coalesce(expected_close, '9999-12-31')"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_opportunity_owner_id_updated_at",
        "opportunity",
        ["owner_id", sa.literal_column("updated_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "ix_opportunity_search_trigram",
        "opportunity",
        ["search"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_opportunity_status_updated_at",
        "opportunity",
        ["status", sa.literal_column("updated_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index("ix_opportunity_title", "opportunity", ["title", "id"], unique=False)
    op.create_index(
        "ix_opportunity_updated_at",
        "opportunity",
        [sa.literal_column("updated_at desc"), sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "uq_opportunity_external",
        "opportunity",
        ["external_source", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id is not null"),
    )
    op.create_table(
        "opportunity_partner",
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("opportunity_id", "partner_id", name=op.f("pk_opportunity_partner")),
    )
    op.create_index(
        "ix_opportunity_partner_partner_id",
        "opportunity_partner",
        ["partner_id", "opportunity_id"],
        unique=False,
    )
    op.create_table(
        "timeline",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_side", sa.String(), nullable=True),
        sa.Column("actor_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("actor_organisation", sa.String(), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("stream_id", "sequence", name=op.f("pk_timeline")),
    )
    op.create_index("ix_timeline_feed", "timeline", ["transaction", "position"], unique=False)
    op.create_table(
        "work_item",
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("opportunity_id", "kind", "key", name=op.f("pk_work_item")),
    )
    op.create_index("ix_work_item_assignee_id", "work_item", ["assignee_id"], unique=False)
    op.create_index("ix_work_item_owner_id", "work_item", ["owner_id"], unique=False)
    op.create_index("ix_work_item_partner_id", "work_item", ["partner_id"], unique=False)
    op.create_index("ix_work_item_role", "work_item", ["role"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_work_item_role", table_name="work_item")
    op.drop_index("ix_work_item_partner_id", table_name="work_item")
    op.drop_index("ix_work_item_owner_id", table_name="work_item")
    op.drop_index("ix_work_item_assignee_id", table_name="work_item")
    op.drop_table("work_item")
    op.drop_index("ix_timeline_feed", table_name="timeline")
    op.drop_table("timeline")
    op.drop_index("ix_opportunity_partner_partner_id", table_name="opportunity_partner")
    op.drop_table("opportunity_partner")
    op.drop_index(
        "uq_opportunity_external",
        table_name="opportunity",
        postgresql_where=sa.text("external_id is not null"),
    )
    op.drop_index("ix_opportunity_updated_at", table_name="opportunity")
    op.drop_index("ix_opportunity_title", table_name="opportunity")
    op.drop_index("ix_opportunity_status_updated_at", table_name="opportunity")
    op.drop_index(
        "ix_opportunity_search_trigram",
        table_name="opportunity",
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
    op.drop_index("ix_opportunity_owner_id_updated_at", table_name="opportunity")
    op.drop_index("ix_opportunity_expected_close", table_name="opportunity")
    op.drop_index("ix_opportunity_created_at", table_name="opportunity")
    op.drop_index(
        "ix_opportunity_board_sums",
        table_name="opportunity",
        postgresql_include=["amount", "owner_id"],
        postgresql_where=sa.text("not closed"),
    )
    op.drop_index(
        "ix_opportunity_board_stage", table_name="opportunity", postgresql_where=sa.text("not closed")
    )
    op.drop_index(
        "ix_opportunity_board_phase", table_name="opportunity", postgresql_where=sa.text("not closed")
    )
    op.drop_index("ix_opportunity_amount", table_name="opportunity")
    op.drop_index("ix_opportunity_account_id", table_name="opportunity")
    op.drop_table("opportunity")
