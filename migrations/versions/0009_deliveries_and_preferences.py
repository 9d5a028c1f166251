"""How notices go out: a row for each channel, and what each person wants.

Revision: 0009
After: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WAS_ON_ITS_WAY = """
    INSERT INTO notice_delivery
        (notice_id, channel, user_id, timing, state, due_at, batch_id, attempts, error, sent_at)
    SELECT id, 'mail', user_id, 'at_once', mail_state, coalesce(mail_next_at, created_at), id,
        mail_attempts, mail_error, mailed_at
    FROM notice WHERE mail_state <> 'none'
"""
"""The message keeps its name, which was the notice's: what was sent before is known as sent."""
_GOES_BACK = """
    UPDATE notice SET mail_state = mail.state, mail_attempts = mail.attempts, mail_error = mail.error,
        mailed_at = mail.sent_at, mail_next_at = CASE WHEN mail.state = 'waiting' THEN mail.due_at END
    FROM notice_delivery mail WHERE mail.notice_id = notice.id AND mail.channel = 'mail'
"""


def upgrade() -> None:
    op.create_table(
        "notice_delivery",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("timing", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel in ('mail', 'chat')", name=op.f("ck_notice_delivery_channel")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id_notice"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notice_delivery_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", "channel", name=op.f("pk_notice_delivery")),
    )
    op.create_index("ix_notice_delivery_batch_id", "notice_delivery", ["batch_id"], unique=False)
    op.create_index(
        "ix_notice_delivery_failed",
        "notice_delivery",
        ["notice_id"],
        unique=False,
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_notice_delivery_waiting",
        "notice_delivery",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.execute(_WAS_ON_ITS_WAY)
    op.create_table(
        "notification_preference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("digest_at", sa.String(), nullable=False),
        sa.Column("quiet_starts", sa.String(), nullable=True),
        sa.Column("quiet_ends", sa.String(), nullable=True),
        sa.Column("chat_address", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["id"], ["user.id"], name=op.f("fk_notification_preference_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preference")),
    )
    op.add_column("notice", sa.Column("in_app", sa.Boolean(), nullable=False, server_default=sa.text("true")))
    op.alter_column("notice", "in_app", server_default=None)
    op.add_column("notice", sa.Column("event", postgresql.JSONB(none_as_null=True), nullable=True))
    op.drop_index("ix_notice_waiting", table_name="notice")
    op.drop_index("ix_notice_failed", table_name="notice")
    op.drop_index("ix_notice_unread", table_name="notice")
    op.create_index(
        "ix_notice_unread",
        "notice",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("read_at is null and in_app"),
    )
    for column in ("mail_state", "mail_attempts", "mail_next_at", "mail_error", "mailed_at"):
        op.drop_column("notice", column)


def downgrade() -> None:
    op.add_column("notice", sa.Column("mail_state", sa.String(), nullable=False, server_default="none"))
    op.add_column("notice", sa.Column("mail_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("notice", "mail_state", server_default=None)
    op.alter_column("notice", "mail_attempts", server_default=None)
    op.add_column("notice", sa.Column("mail_next_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notice", sa.Column("mail_error", sa.String(), nullable=True))
    op.add_column("notice", sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_GOES_BACK)
    op.drop_index("ix_notice_unread", table_name="notice")
    op.create_index(
        "ix_notice_unread", "notice", ["user_id"], unique=False, postgresql_where=sa.text("read_at is null")
    )
    op.create_index(
        "ix_notice_failed", "notice", ["id"], unique=False, postgresql_where=sa.text("mail_state = 'failed'")
    )
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["mail_next_at"],
        unique=False,
        postgresql_where=sa.text("mail_state = 'waiting'"),
    )
    op.drop_column("notice", "event")
    op.drop_column("notice", "in_app")
    op.drop_table("notification_preference")
    op.drop_index("ix_notice_delivery_waiting", table_name="notice_delivery")
    op.drop_index("ix_notice_delivery_failed", table_name="notice_delivery")
    op.drop_index("ix_notice_delivery_batch_id", table_name="notice_delivery")
    op.drop_table("notice_delivery")
