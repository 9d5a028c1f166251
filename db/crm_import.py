"""What an import needs of the database: what came from the same source before, and many rows at once.

For the command line, never for a request: nothing here asks for a principal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.tables import Account, OpportunityRow, User


async def deals_of(session: AsyncSession, source: str) -> set[str]:
    """The external ids of the deals that came from this source."""
    statement = select(col(OpportunityRow.external_id)).where(col(OpportunityRow.external_source) == source)
    return {found for found in (await session.execute(statement)).scalars() if found is not None}


async def accounts_of(session: AsyncSession, source: str) -> dict[str, UUID]:
    """The accounts that came from this source, by their name there."""
    statement = select(col(Account.external_id), col(Account.id)).where(
        col(Account.external_source) == source
    )
    return {row.external_id: row.id for row in await session.execute(statement)}


async def add_accounts(session: AsyncSession, accounts: Sequence[Account]) -> None:
    """Keep new accounts; those of the same source and name are there already and stay as they are."""
    await _add(session, Account, accounts)


async def people_of(session: AsyncSession, source: str, emails: Collection[str]) -> list[User]:
    """People who came from this source, and those who have one of the addresses (in lower case)."""
    statement = select(User).where(
        or_(col(User.external_source) == source, func.lower(col(User.email)).in_(emails))
    )
    return list((await session.execute(statement)).scalars())


async def add_people(session: AsyncSession, people: Sequence[User]) -> None:
    """Keep new people; whoever has the address, or came from the same source, stays as they are."""
    await _add(session, User, people)


async def _add(session: AsyncSession, table: type[Any], rows: Sequence[Any]) -> None:
    if rows:
        await session.execute(insert(table).on_conflict_do_nothing(), [row.model_dump() for row in rows])
