"""Discount policies.

Revision: 0006
After: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("version >= 1", name=op.f("ck_policy_version_version")),
        sa.ForeignKeyConstraint(
            ["published_by"], ["user.id"], name=op.f("fk_policy_version_published_by_user")
        ),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_policy_version")),
    )


def downgrade() -> None:
    op.drop_table("policy_version")
