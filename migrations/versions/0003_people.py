"""Managers, working time and delegations of people.

Revision: 0003
After: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("manager_id", sa.Uuid(), nullable=True))
    op.add_column("user", sa.Column("time_zone", sa.String(), nullable=False, server_default="UTC"))
    op.alter_column("user", "time_zone", server_default=None)
    op.add_column("user", sa.Column("country", sa.String(), nullable=True))
    op.add_column("user", sa.Column("region", sa.String(), nullable=True))
    op.add_column("user", sa.Column("working_hours", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_foreign_key(op.f("fk_user_manager_id_user"), "user", "user", ["manager_id"], ["id"])
    op.create_table(
        "delegation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_delegation_ends_later")),
        sa.CheckConstraint("user_id <> to_id", name=op.f("ck_delegation_to_another")),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_delegation_created_by_user")),
        sa.ForeignKeyConstraint(
            ["to_id"], ["user.id"], name=op.f("fk_delegation_to_id_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_delegation_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_to_id", "delegation", ["to_id"], unique=False)
    op.create_index(
        "ix_delegation_user_id_starts_at",
        "delegation",
        ["user_id", sa.literal_column("starts_at desc"), sa.literal_column("id desc")],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_delegation_user_id_starts_at", table_name="delegation")
    op.drop_index("ix_delegation_to_id", table_name="delegation")
    op.drop_table("delegation")
    op.drop_constraint(op.f("fk_user_manager_id_user"), "user", type_="foreignkey")
    op.drop_column("user", "working_hours")
    op.drop_column("user", "region")
    op.drop_column("user", "country")
    op.drop_column("user", "time_zone")
    op.drop_column("user", "manager_id")
