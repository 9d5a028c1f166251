"""API keys: found by the hash of their secret, listed for the person who owns them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.people import PRINCIPAL_COLUMNS, is_active, principal_of
from db.session import Reader
from db.tables import ApiKey, Organisation, User
from domain.errors import NotFound
from domain.principal import Principal


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A valid key and who it belongs to."""

    principal: Principal
    key_id: UUID
    last_used_at: datetime | None


# Made once: every request with a key begins with it.
_FIND = (
    select(*PRINCIPAL_COLUMNS, col(ApiKey.id).label("key_id"), col(ApiKey.last_used_at))
    .select_from(ApiKey)
    .join(User, col(User.id) == col(ApiKey.user_id))
    .join(Organisation, col(Organisation.id) == col(User.organisation_id))
    .where(
        col(ApiKey.token_hash) == bindparam("token_hash"),
        col(ApiKey.revoked_at).is_(None),
        or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > bindparam("now")),
        is_active(),
    )
)


async def find(reader: Reader, token_hash: bytes, now: datetime) -> KeyHolder | None:
    """The person whose key this is; None when unknown, expired, revoked or no longer active."""
    row = (await reader.execute(_FIND, {"token_hash": token_hash, "now": now})).one_or_none()
    return KeyHolder(principal_of(row), row.key_id, row.last_used_at) if row is not None else None


async def touch(session: AsyncSession, key_id: UUID, now: datetime) -> None:
    """Note that the key was used."""
    await session.execute(update(ApiKey).where(col(ApiKey.id) == key_id).values(last_used_at=now))


def _own(principal: Principal) -> ColumnElement[bool]:
    """A person sees and revokes her own keys only."""
    return col(ApiKey.user_id) == principal.id


async def page(session: AsyncSession, principal: Principal, wanted: PageRequest) -> Page[ApiKey]:
    """The principal's keys that are not revoked, newest first."""
    statement = (
        select(ApiKey)
        .where(_own(principal), col(ApiKey.revoked_at).is_(None))
        .order_by(col(ApiKey.id).desc())
    )
    found = await pages.fetch(session, statement, wanted, order="keys")
    return found.map(lambda row: row[0])


async def add(session: AsyncSession, key: ApiKey) -> ApiKey:
    """Keep a new key. The same id again (a repeated request) replaces the secret."""
    statement = (
        insert(ApiKey)
        .values(**key.model_dump())
        .on_conflict_do_update(
            index_elements=[col(ApiKey.id)],
            set_={"token_hash": key.token_hash, "hint": key.hint},
            where=col(ApiKey.user_id) == key.user_id,
        )
        .returning(ApiKey)
    )
    return (await session.execute(statement)).scalar_one()


async def revoke(session: AsyncSession, principal: Principal, key_id: UUID, now: datetime) -> None:
    """Make a key useless from now on. Raises `NotFound` for a key of somebody else, or revoked before."""
    statement = (
        update(ApiKey)
        .where(_own(principal), col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=now)
        .returning(col(ApiKey.id))
    )
    if (await session.execute(statement)).one_or_none() is None:
        raise NotFound("You have no such key; it may be revoked already.")


async def revoke_all(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Make all keys of a person useless from now on."""
    theirs = col(ApiKey.user_id) == user_id, col(ApiKey.revoked_at).is_(None)
    await session.execute(update(ApiKey).where(*theirs).values(revoked_at=now))
