"""What people were told, how far its mail has come, and the links that mails carry.

Revision: 0007
After: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("approval_id", sa.Uuid(), nullable=True),
        sa.Column("step_key", sa.String(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_state", sa.String(), nullable=False),
        sa.Column("mail_attempts", sa.Integer(), nullable=False),
        sa.Column("mail_next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_error", sa.String(), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notice_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "cause", name=op.f("uq_notice_user_id_cause")),
    )
    op.create_index("ix_notice_created_at", "notice", ["created_at"], unique=False)
    op.create_index(
        "ix_notice_failed", "notice", ["id"], unique=False, postgresql_where=sa.text("mail_state = 'failed'")
    )
    op.create_index(
        "ix_notice_unread", "notice", ["user_id"], unique=False, postgresql_where=sa.text("read_at is null")
    )
    op.create_index("ix_notice_user_id_id", "notice", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["mail_next_at"],
        unique=False,
        postgresql_where=sa.text("mail_state = 'waiting'"),
    )
    op.create_table(
        "mail_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("step_key", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_for", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_mail_link_notice_id_notice"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_mail_link_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_link")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_mail_link_notice_id")),
    )
    op.create_index(op.f("ix_mail_link_user_id"), "mail_link", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_mail_link_user_id"), table_name="mail_link")
    op.drop_table("mail_link")
    op.drop_index(
        "ix_notice_waiting", table_name="notice", postgresql_where=sa.text("mail_state = 'waiting'")
    )
    op.drop_index("ix_notice_user_id_id", table_name="notice")
    op.drop_index("ix_notice_unread", table_name="notice", postgresql_where=sa.text("read_at is null"))
    op.drop_index("ix_notice_failed", table_name="notice", postgresql_where=sa.text("mail_state = 'failed'"))
    op.drop_index("ix_notice_created_at", table_name="notice")
    op.drop_table("notice")
