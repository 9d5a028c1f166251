"""Numbered versions that never change: what playbooks and policies have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar, cast
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.pages import Page, PageRequest
from db.tables import PlaybookVersion, PolicyVersion
from domain.errors import NotFound


class Definition(Protocol):
    """What a version says, as a model: its content is compared as it would be written today."""

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    def model_dump(self, *, mode: str, exclude: set[str]) -> dict[str, Any]: ...


Row = TypeVar("Row", PlaybookVersion, PolicyVersion)


class Versions(Generic[Row]):
    """The versions in one table; `word` is what people call one of them."""

    def __init__(self, table: type[Row], word: str) -> None:
        self.table: type[Row] = table
        self.word = word
        self._key = col(table.key)
        self._version = col(table.version)

    async def latest(self, session: AsyncSession, key: str) -> Row:
        """The newest version. Raises `NotFound`."""
        row = await self.find_latest(session, key)
        if row is None:
            raise NotFound(f"There is no {self.word} '{key}'.")
        return row

    async def find_latest(self, session: AsyncSession, key: str) -> Row | None:
        """The newest version; None of an unknown one."""
        statement = self._rows().where(self._key == key).order_by(self._version.desc()).limit(1)
        return (await session.execute(statement)).scalar_one_or_none()

    async def one(self, session: AsyncSession, key: str, version: int) -> Row:
        """One version. Raises `NotFound`."""
        statement = self._rows().where(self._key == key, self._version == version)
        row = (await session.execute(statement)).scalar_one_or_none()
        if row is None:
            raise NotFound(f"There is no version {version} of a {self.word} '{key}'.")
        return row

    async def page(self, session: AsyncSession, wanted: PageRequest) -> Page[Row]:
        """The newest version of each, by key."""
        newest = (
            select(self._key, self._version)
            .ext(distinct_on(self._key))
            .order_by(self._key, self._version.desc())
            .subquery()
        )
        same = (self._key == newest.c.key) & (self._version == newest.c.version)
        statement = self._rows().join(newest, same).order_by(self._key)
        found = await pages.fetch(session, statement, wanted, order=f"{self.word}s")
        return found.map(lambda row: cast(Row, row[0]))

    async def versions(self, session: AsyncSession, key: str, wanted: PageRequest) -> Page[Row]:
        """All versions, newest first; none of an unknown one."""
        statement = self._rows().where(self._key == key).order_by(self._version.desc())
        found = await pages.fetch(session, statement, wanted, order=f"{self.word}-versions")
        return found.map(lambda row: cast(Row, row[0]))

    async def publish(
        self,
        session: AsyncSession,
        definition: Definition,
        says: type[Any],
        *,
        by: UUID | None,
        now: datetime,
    ) -> tuple[Row, bool]:
        """Publish it as the next version; answers the version and whether it is new.

        The same content as the newest version is that version, also where fields have come since that
        say what was so without them: publishing twice publishes once. `says` is the model of what is
        written, `by` the person, None for what Tandem ships.
        """
        name = f"{self.word} {definition.key}"
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
        content = _content(definition)
        newest = await self.find_latest(session, definition.key)
        if newest is not None and _content(says.model_validate(newest.definition)) == content:
            return newest, False
        row = self.table(
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

    def _rows(self) -> Select[Row]:
        return select(self.table)


def _content(definition: Definition) -> dict[str, Any]:
    return definition.model_dump(mode="json", exclude={"version"})
