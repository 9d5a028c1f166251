"""Requests with an Idempotency-Key: claimed before they run, answered again afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, literal_column, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.tables import IdempotentRequest

KEPT_FOR = timedelta(hours=48)


async def claim(session: AsyncSession, wanted: IdempotentRequest) -> IdempotentRequest:
    """Take the key for this request, or find the request that took it before; one statement either way."""
    statement = insert(IdempotentRequest).values(**wanted.model_dump())
    # Updating the key to itself changes nothing, and makes RETURNING answer the row that is there.
    statement = statement.on_conflict_do_update(
        index_elements=[col(IdempotentRequest.principal_id), col(IdempotentRequest.key)],
        set_={"key": literal_column("excluded.key")},
    )
    result = await session.execute(statement.returning(IdempotentRequest))
    return result.scalar_one()


async def store(
    session: AsyncSession, principal_id: UUID, key: str, *, status: int, headers: str, body: bytes
) -> None:
    """Keep the answer, to give it again."""
    await session.execute(
        update(IdempotentRequest)
        .where(col(IdempotentRequest.principal_id) == principal_id, col(IdempotentRequest.key) == key)
        .values(status=status, headers=headers, body=body)
    )


async def release(session: AsyncSession, principal_id: UUID, key: str) -> None:
    """Give the key back after a refusal: nothing happened, and the caller may correct the request."""
    await session.execute(
        delete(IdempotentRequest).where(
            col(IdempotentRequest.principal_id) == principal_id,
            col(IdempotentRequest.key) == key,
            col(IdempotentRequest.status).is_(None),
        )
    )


async def purge(session: AsyncSession, now: datetime) -> None:
    """Forget what is older than `KEPT_FOR`."""
    await session.execute(delete(IdempotentRequest).where(col(IdempotentRequest.created_at) < now - KEPT_FOR))
