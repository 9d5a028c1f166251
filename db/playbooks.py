"""Published playbooks: numbered versions that never change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool
from sqlmodel import col

from db.pages import Page, PageRequest
from db.session import Reader, pool_of
from db.tables import PlaybookVersion
from db.versions import Versions
from domain.errors import NotFound
from domain.playbook import Playbook, PlaybookDefinition

_VERSIONS = Versions(PlaybookVersion, "playbook")
_pinned: WeakKeyDictionary[Pool, dict[tuple[str, int], Playbook]] = WeakKeyDictionary()
"""Versions read before, by database, key and number. They never change, so nothing can disagree."""
_PINNED_AT_MOST = 500


def of_row(row: PlaybookVersion) -> Playbook:
    """The playbook in a row."""
    return Playbook.model_validate({**row.definition, "version": row.version})


async def latest(session: AsyncSession, key: str) -> Playbook:
    """The version that a new deal starts with. Raises `NotFound`."""
    return of_row(await latest_row(session, key))


async def pinned(reader: Reader, key: str, version: int) -> Playbook:
    """The version that a deal started with. Raises `NotFound`."""
    known = _pinned.setdefault(pool_of(reader), {})
    book = known.get((key, version))
    if book is None:
        definition = (
            await reader.execute(_DEFINITION, {"key": key, "version": version})
        ).scalar_one_or_none()
        if definition is None:
            raise NotFound(f"There is no version {version} of a playbook '{key}'.")
        book = Playbook.model_validate({**definition, "version": version})
        if len(known) >= _PINNED_AT_MOST:
            known.clear()
        known[key, version] = book
    return book


_DEFINITION = select(col(PlaybookVersion.definition)).where(
    col(PlaybookVersion.key) == bindparam("key"), col(PlaybookVersion.version) == bindparam("version")
)


async def latest_row(session: AsyncSession, key: str) -> PlaybookVersion:
    """The newest version of a playbook. Raises `NotFound`."""
    return await _VERSIONS.latest(session, key)


async def version_row(session: AsyncSession, key: str, version: int) -> PlaybookVersion:
    """One version of a playbook. Raises `NotFound`."""
    return await _VERSIONS.one(session, key, version)


async def page(session: AsyncSession, wanted: PageRequest) -> Page[PlaybookVersion]:
    """The newest version of each playbook, by key."""
    return await _VERSIONS.page(session, wanted)


async def versions(session: AsyncSession, key: str, wanted: PageRequest) -> Page[PlaybookVersion]:
    """All versions of a playbook, newest first; none of an unknown one."""
    return await _VERSIONS.versions(session, key, wanted)


async def publish(
    session: AsyncSession, definition: PlaybookDefinition, *, by: UUID | None, now: datetime
) -> tuple[PlaybookVersion, bool]:
    """Publish a playbook as its next version; answers the version and whether it is new.

    The same content as the newest version is that version: publishing twice
    publishes once. `by` is the person, None for the playbooks that Tandem ships.
    """
    return await _VERSIONS.publish(session, definition, PlaybookDefinition, by=by, now=now)
