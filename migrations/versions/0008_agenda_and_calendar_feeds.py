"""What falls due, as calendars show it, and the secret addresses of people's calendars.

Deals that run already bring their deadlines along; their next change writes them anew.

Revision: 0008
After: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

_TASKS = """
    INSERT INTO agenda_item
        (opportunity_id, kind, key, title, at, day, side, partner_id, assignee_id, owner_id)
    SELECT o.id, 'task', task->>'key', task->>'title', (task->>'due_at')::timestamptz, NULL,
           task->>'side', (task->>'partner_id')::uuid, (task->'assignee'->>'id')::uuid, o.owner_id
    FROM opportunity o, jsonb_array_elements(o.state->'tasks') task
    WHERE o.status IN ('open', 'won') AND NOT o.closed AND task->>'stage' = o.stage_key
      AND task->>'state' = 'open' AND task->>'due_at' IS NOT NULL
"""
_DEALS = """
    INSERT INTO agenda_item
        (opportunity_id, kind, key, title, at, day, side, partner_id, assignee_id, owner_id)
    SELECT o.id, due.kind, due.key, due.title, due.at, due.day, NULL, NULL, NULL, o.owner_id
    FROM opportunity o, LATERAL (VALUES
        ('stage', o.stage_key, o.stage || ' should be finished',
         (o.state->'stage'->>'due_at')::timestamptz, NULL::date, o.status IN ('open', 'won')),
        ('check_in', '', 'Check-in', (o.state->>'next_check_in_at')::timestamptz, NULL, o.status = 'open'),
        ('expected_close', '', 'Expected close',
         (o.expected_close + time '23:59:59.999999') AT TIME ZONE 'UTC', o.expected_close, o.status = 'open'),
        ('hold_ends', '', 'The hold ends', (o.state->'hold'->>'until')::timestamptz, NULL,
         o.status = 'on_hold')
    ) AS due (kind, key, title, at, day, counts)
    WHERE NOT o.closed AND due.counts AND due.at IS NOT NULL
"""
FILL = (_TASKS, _DEALS)
"""What makes the rows of deals that run already."""


def upgrade() -> None:
    op.create_table(
        "agenda_item",
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("side", sa.String(), nullable=True),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("opportunity_id", "kind", "key", name=op.f("pk_agenda_item")),
    )
    op.create_index("ix_agenda_item_at", "agenda_item", ["at"], unique=False)
    op.create_index("ix_agenda_item_assignee_id_at", "agenda_item", ["assignee_id", "at"], unique=False)
    op.create_index("ix_agenda_item_owner_id_at", "agenda_item", ["owner_id", "at"], unique=False)
    op.create_index("ix_agenda_item_partner_id_at", "agenda_item", ["partner_id", "at"], unique=False)
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_calendar_feed_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_index("ix_calendar_feed_user_id_id", "calendar_feed", ["user_id", "id"], unique=False)
    for statement in FILL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("calendar_feed")
    op.drop_table("agenda_item")
