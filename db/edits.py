"""Changing a row that people edit, without losing what somebody else changed meanwhile."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import inspect, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import StaleVersion


class EditedRow(Protocol):
    """A row of a table that is `Edited`."""

    id: UUID
    version: int


R = TypeVar("R", bound=EditedRow)


async def updated(session: AsyncSession, row: R, changes: dict[str, Any], now: datetime) -> R:
    """Write changes to a row as it was read, raising its version by one; no changes write nothing.

    Raises `StaleVersion` when somebody changed the row since.
    """
    changes = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changes:
        return row
    table = inspect(type(row))
    statement = (
        update(type(row))
        .where(table.c.id == row.id, table.c.version == row.version)
        .values(**changes, version=row.version + 1, updated_at=now)
        .returning(type(row))
        .execution_options(populate_existing=True)
    )
    changed = (await session.execute(statement)).scalar_one_or_none()
    if changed is None:
        raise StaleVersion("Somebody changed it while you did; read it again and repeat your change.")
    return changed
