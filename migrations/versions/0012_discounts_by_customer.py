"""Deals with discounts are found by their customer, and one after the other.

Revision: 0012
After: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COUNT = """
    UPDATE opportunity SET discounts = jsonb_array_length(state->'discounts')
    WHERE jsonb_array_length(state->'discounts') > 0
"""


def upgrade() -> None:
    op.add_column(
        "opportunity", sa.Column("discounts", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.execute(_COUNT)
    op.create_index(
        "ix_opportunity_discounts_customer",
        "opportunity",
        [sa.text("lower(customer)")],
        postgresql_where=sa.text("discounts > 0"),
    )
    op.create_index(
        "ix_opportunity_discounts", "opportunity", ["id"], postgresql_where=sa.text("discounts > 0")
    )


def downgrade() -> None:
    op.drop_index("ix_opportunity_discounts", table_name="opportunity")
    op.drop_index("ix_opportunity_discounts_customer", table_name="opportunity")
    op.drop_column("opportunity", "discounts")
