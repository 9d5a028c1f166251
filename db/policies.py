"""Published discount policies: numbered versions that never change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool

from db.pages import Page, PageRequest
from db.session import pool_of
from db.tables import PolicyVersion
from db.versions import Versions
from domain.approval.policy import PolicyRef
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition

_VERSIONS = Versions(PolicyVersion, "discount policy")
_pinned: WeakKeyDictionary[Pool, dict[PolicyRef, DiscountPolicy]] = WeakKeyDictionary()
"""Versions read before, by database. They never change, so nothing can disagree."""
_PINNED_AT_MOST = 200


def of_row(row: PolicyVersion) -> DiscountPolicy:
    """The policy in a row."""
    return DiscountPolicy.model_validate({**row.definition, "version": row.version})


async def latest_row(session: AsyncSession, key: str) -> PolicyVersion:
    """The newest version of a policy. Raises `NotFound`."""
    return await _VERSIONS.latest(session, key)


async def version_row(session: AsyncSession, key: str, version: int) -> PolicyVersion:
    """One version of a policy. Raises `NotFound`."""
    return await _VERSIONS.one(session, key, version)


async def newest(session: AsyncSession, key: str) -> PolicyRef | None:
    """Which version a new deal keeps; None where no such policy is published."""
    row = await _VERSIONS.find_latest(session, key)
    return PolicyRef(key=row.key, version=row.version) if row else None


async def pinned(session: AsyncSession, ref: PolicyRef) -> DiscountPolicy:
    """The version that a deal keeps. Raises `NotFound`."""
    kept = _pinned.setdefault(pool_of(session), {})
    known = kept.get(ref)
    if known is None:
        known = of_row(await version_row(session, ref.key, ref.version))
        if len(kept) >= _PINNED_AT_MOST:
            kept.clear()
        kept[ref] = known
    return known


async def page(session: AsyncSession, wanted: PageRequest) -> Page[PolicyVersion]:
    """The newest version of each policy, by key."""
    return await _VERSIONS.page(session, wanted)


async def versions(session: AsyncSession, key: str, wanted: PageRequest) -> Page[PolicyVersion]:
    """All versions of a policy, newest first; none of an unknown one."""
    return await _VERSIONS.versions(session, key, wanted)


async def publish(
    session: AsyncSession, definition: DiscountPolicyDefinition, *, by: UUID | None, now: datetime
) -> tuple[PolicyVersion, bool]:
    """Publish a policy as its next version; answers the version and whether it is new."""
    return await _VERSIONS.publish(session, definition, DiscountPolicyDefinition, by=by, now=now)
