"""Published playbooks: numbered versions that never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import Pool
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.session import Reader, pool_of
from db.tables import PlaybookVersion
from domain.errors import NotFound
from domain.playbook import Playbook, PlaybookDefinition

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
    statement = (
        select(PlaybookVersion)
        .where(col(PlaybookVersion.key) == key)
        .order_by(col(PlaybookVersion.version).desc())
        .limit(1)
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no playbook '{key}'.")
    return row


async def version_row(session: AsyncSession, key: str, version: int) -> PlaybookVersion:
    """One version of a playbook. Raises `NotFound`."""
    statement = select(PlaybookVersion).where(
        col(PlaybookVersion.key) == key, col(PlaybookVersion.version) == version
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no version {version} of a playbook '{key}'.")
    return row


async def page(session: AsyncSession, wanted: PageRequest) -> Page[PlaybookVersion]:
    """The newest version of each playbook, by key."""
    newest = (
        select(col(PlaybookVersion.key), col(PlaybookVersion.version))
        .ext(distinct_on(col(PlaybookVersion.key)))
        .order_by(col(PlaybookVersion.key), col(PlaybookVersion.version).desc())
        .subquery()
    )
    statement = (
        select(PlaybookVersion)
        .join(
            newest,
            (col(PlaybookVersion.key) == newest.c.key) & (col(PlaybookVersion.version) == newest.c.version),
        )
        .order_by(col(PlaybookVersion.key))
    )
    found = await pages.fetch(session, statement, wanted, order="playbooks")
    return found.map(lambda row: row[0])


async def versions(session: AsyncSession, key: str, wanted: PageRequest) -> Page[PlaybookVersion]:
    """All versions of a playbook, newest first; none of an unknown one."""
    statement = (
        select(PlaybookVersion)
        .where(col(PlaybookVersion.key) == key)
        .order_by(col(PlaybookVersion.version).desc())
    )
    found = await pages.fetch(session, statement, wanted, order="playbook-versions")
    return found.map(lambda row: row[0])


async def publish(
    session: AsyncSession, definition: PlaybookDefinition, *, by: UUID | None, now: datetime
) -> tuple[PlaybookVersion, bool]:
    """Publish a playbook as its next version; answers the version and whether it is new.

    The same content as the newest version is that version: publishing twice
    publishes once. `by` is the person, None for the playbooks that Tandem ships.
    """
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('playbook ' || :key))"), {"key": definition.key}
    )
    content = _content(definition)
    newest = await _newest(session, definition.key)
    if newest is not None and _content(PlaybookDefinition.model_validate(newest.definition)) == content:
        return newest, False
    row = PlaybookVersion(
        key=definition.key,
        version=newest.version + 1 if newest else 1,
        title=definition.title,
        definition=content,
        published_at=now,
        published_by=by,
    )
    session.add(row)
    await session.flush()
    return row, True


async def _newest(session: AsyncSession, key: str) -> PlaybookVersion | None:
    try:
        return await latest_row(session, key)
    except NotFound:
        return None


def _content(definition: PlaybookDefinition) -> dict[str, Any]:
    """What a version says: fields that came after it was published say what is so without them."""
    return definition.model_dump(mode="json", exclude={"version"})
