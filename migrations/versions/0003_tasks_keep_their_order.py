"""A deal's tasks as a list: JSONB keeps no order of names.

Revision: 0003
After: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE opportunity SET state = jsonb_set(state, '{tasks}', (
            SELECT coalesce(jsonb_agg(task.value ORDER BY task.value ->> 'opened_at'), '[]')
            FROM jsonb_each(state -> 'tasks') AS task))
        WHERE jsonb_typeof(state -> 'tasks') = 'object'
    """)


def downgrade() -> None:
    op.execute("""
        UPDATE opportunity SET state = jsonb_set(state, '{tasks}', (
            SELECT coalesce(jsonb_object_agg(task.value ->> 'key', task.value), '{}')
            FROM jsonb_array_elements(state -> 'tasks') AS task))
        WHERE jsonb_typeof(state -> 'tasks') = 'array'
    """)
