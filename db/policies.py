"""Published discount policies: numbered versions that never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool
from sqlmodel import col

from db.pages import Page, PageRequest
from db.session import Reader, pool_of
from db.tables import PolicyVersion
from db.versions import Versions
from domain.approval.policy import PolicyRef
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition
from domain.errors import NotFound

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


_NEWEST = select(func.max(col(PolicyVersion.version))).where(col(PolicyVersion.key) == bindparam("key"))
_DEFINITION = select(col(PolicyVersion.definition)).where(
    col(PolicyVersion.key) == bindparam("key"), col(PolicyVersion.version) == bindparam("version")
)


async def newest(reader: Reader, key: str) -> PolicyRef | None:
    """Which version a new deal keeps; None where no such policy is published."""
    version = (await reader.execute(_NEWEST, {"key": key})).scalar_one()
    return PolicyRef(key=key, version=version) if version is not None else None


async def pinned(reader: Reader, ref: PolicyRef) -> DiscountPolicy:
    """The version that a deal keeps. Raises `NotFound`."""
    kept = _pinned.setdefault(pool_of(reader), {})
    known = kept.get(ref)
    if known is None:
        definition = (await reader.execute(_DEFINITION, ref.model_dump())).scalar_one_or_none()
        if definition is None:
            raise NotFound(f"There is no version {ref.version} of a discount policy '{ref.key}'.")
        known = DiscountPolicy.model_validate({**definition, "version": ref.version})
        if len(kept) >= _PINNED_AT_MOST:
            kept.clear()
        kept[ref] = known
    return known


async def step_titles(session: AsyncSession) -> dict[tuple[str, int], dict[str, str]]:
    """What the steps are called in every version, by policy key and version."""
    steps: Any = col(PolicyVersion.definition)["steps"]
    statement = select(col(PolicyVersion.key), col(PolicyVersion.version), steps.label("steps"))
    return {
        (row.key, row.version): {step["key"]: step["title"] for step in row.steps or ()}
        for row in await session.execute(statement)
    }


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
