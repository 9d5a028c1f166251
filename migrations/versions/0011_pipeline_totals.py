"""How much is in the pipeline, kept with each deal: no board has to add up all deals.

Revision: 0011
After: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COUNTED = ("playbook_key", "stage_key", "phase", "status", "closed", "currency")
_KEYS = ", ".join(_COUNTED)

_REPEAT = """
    UPDATE opportunity_partner p
    SET status = o.status, closed = o.closed, amount = o.amount, currency = o.currency,
        playbook_key = o.playbook_key, stage_key = o.stage_key, phase = o.phase
    FROM opportunity o WHERE o.id = p.opportunity_id
"""
_ORPHANS = "DELETE FROM opportunity_partner WHERE status IS NULL"

# A row says minus one for what a deal was and plus one for what it is. The partner's own rows do the
# same by themselves, since they carry what is counted.
_FUNCTION = f"""
    CREATE FUNCTION keep_pipeline_total() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        partner uuid;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            IF TG_TABLE_NAME = 'opportunity_partner' THEN partner := OLD.partner_id; END IF;
            INSERT INTO pipeline_total (partner_id, {_KEYS}, deals, amount)
            VALUES (partner, {", ".join(f"OLD.{key}" for key in _COUNTED)}, -1, -coalesce(OLD.amount, 0));
        END IF;
        IF TG_OP <> 'DELETE' THEN
            IF TG_TABLE_NAME = 'opportunity_partner' THEN partner := NEW.partner_id; END IF;
            INSERT INTO pipeline_total (partner_id, {_KEYS}, deals, amount)
            VALUES (partner, {", ".join(f"NEW.{key}" for key in _COUNTED)}, 1, coalesce(NEW.amount, 0));
        END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608 -- of our own names
# Most commands change nothing that is counted: they do not even come to the function.
_CHANGED = " OR ".join(f"OLD.{key} IS DISTINCT FROM NEW.{key}" for key in (*_COUNTED, "amount"))
_COUNT_ALL = f"""
    INSERT INTO pipeline_total (partner_id, {_KEYS}, deals, amount)
    SELECT NULL, {_KEYS}, count(*), coalesce(sum(amount), 0) FROM opportunity GROUP BY {_KEYS}
    UNION ALL
    SELECT partner_id, {_KEYS}, count(*), coalesce(sum(amount), 0)
    FROM opportunity_partner GROUP BY partner_id, {_KEYS}
"""  # noqa: S608 -- of our own names
_TABLES = ("opportunity", "opportunity_partner")


def upgrade() -> None:
    op.execute("LOCK TABLE opportunity, opportunity_partner IN SHARE ROW EXCLUSIVE MODE")
    for name, kind in _COLUMNS.items():
        op.add_column("opportunity_partner", sa.Column(name, kind, nullable=True))
    op.execute(_REPEAT)
    op.execute(_ORPHANS)
    for name in _COLUMNS:
        op.alter_column("opportunity_partner", name, nullable=name in {"amount", "currency"})
    op.create_table(
        "pipeline_total",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("playbook_key", sa.String(), nullable=False),
        sa.Column("stage_key", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_total")),
    )
    op.create_index(
        "ix_pipeline_total_partner_id", "pipeline_total", ["partner_id", "closed", "playbook_key"]
    )
    op.execute(_COUNT_ALL)
    op.execute(_FUNCTION)
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER keep_pipeline_total AFTER INSERT OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_pipeline_total()"
        )
        op.execute(
            f"CREATE TRIGGER move_pipeline_total AFTER UPDATE ON {table} "
            f"FOR EACH ROW WHEN ({_CHANGED}) EXECUTE FUNCTION keep_pipeline_total()"
        )


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"DROP TRIGGER move_pipeline_total ON {table}")
        op.execute(f"DROP TRIGGER keep_pipeline_total ON {table}")
    op.execute("DROP FUNCTION keep_pipeline_total()")
    op.drop_index("ix_pipeline_total_partner_id", table_name="pipeline_total")
    op.drop_table("pipeline_total")
    for name in reversed(_COLUMNS):
        op.drop_column("opportunity_partner", name)


_COLUMNS: dict[str, sa.types.TypeEngine[object]] = {
    "status": sa.String(),
    "closed": sa.Boolean(),
    "amount": sa.Numeric(precision=14, scale=2),
    "currency": sa.String(),
    "playbook_key": sa.String(),
    "stage_key": sa.String(),
    "phase": sa.String(),
}
