"""What lists show in a small column of its own, and an index for each way they are sorted.

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opportunity", sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute("""
        UPDATE opportunity SET card = jsonb_build_object(
            'customer', state -> 'customer', 'stage', state -> 'stage', 'partners', state -> 'partners')
    """)
    op.alter_column("opportunity", "card", nullable=False)
    op.drop_index("ix_opportunity_expected_close", table_name="opportunity")
    for name, expressions in {
        "expected_close": [sa.literal_column("coalesce(expected_close, '9999-12-31')"), "id"],
        "amount": [sa.literal_column("coalesce(amount, 0)"), "id"],
        "created_at": ["created_at", "id"],
        "title": ["title", "id"],
    }.items():
        op.create_index(f"ix_opportunity_{name}", "opportunity", expressions)


def downgrade() -> None:
    for name in ("title", "created_at", "amount", "expected_close"):
        op.drop_index(f"ix_opportunity_{name}", table_name="opportunity")
    op.create_index("ix_opportunity_expected_close", "opportunity", ["expected_close"])
    op.drop_column("opportunity", "card")
