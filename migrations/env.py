"""Run by Alembic: migrations over the connection that `db.migrate` hands in."""

from typing import Any

from alembic import context

from db.tables import metadata

connection = context.config.attributes["connection"]


def render_item(kind: str, item: Any, _: Any) -> str | bool:
    """Migrations speak plain SQLAlchemy, so that they stand when our own types change."""
    if kind == "type" and type(item).__module__.startswith("db."):
        return f"sa.{item.impl!r}"
    if kind == "type" and type(item).__module__.startswith("sqlmodel."):
        return "sa.String()"
    return False


context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=False,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
