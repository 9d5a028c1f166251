"""Pages of lists by keyset: fast at any depth, and stable while rows are added.

A cursor is opaque to callers. It carries the position after the last row and a
checksum over that position and the list it belongs to, so that an edited cursor,
or one of another list, is refused with a sentence. The checksum is no secret:
what a caller may see is decided by the statement, never by the cursor.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlakeyset import InvalidPage, serialize_bookmark, unserialize_bookmark
from sqlakeyset.asyncio import select_page
from sqlalchemy import Row, Select
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, ProgrammingError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidCursor

T = TypeVar("T")
U = TypeVar("U")
AnyRow = Row[*tuple[Any, ...]]

_CHECKSUM_BYTES = 6


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: at most `limit` rows after `cursor`; from the beginning without one."""

    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor of the next ones if there are any."""

    items: list[T]
    next_cursor: str | None = None

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """The same page with each item changed."""
        return Page([change(item) for item in self.items], self.next_cursor)


async def fetch(
    session: AsyncSession, statement: Select[*tuple[Any, ...]], wanted: PageRequest, *, order: str
) -> Page[AnyRow]:
    """Run an ordered statement for one page.

    The statement's ORDER BY must end in a unique column and hold no null.
    `order` names the list and its sort, such as "accounts:name"; a cursor of
    another order is refused. Raises `InvalidCursor`.
    """
    place = _place(wanted.cursor, order) if wanted.cursor is not None else None
    try:
        found = await select_page(session, statement, per_page=wanted.limit, after=place)
    except InvalidPage as wrong:
        raise _refusal() from wrong
    except (ArgumentError, StatementError) as wrong:
        if place is None or not _is_of_values(wrong):
            raise
        raise _refusal() from wrong  # somebody made it, with a right checksum, of values of other kinds
    marker = found.paging.next if found.paging.has_next else None
    return Page(list(found), _cursor(serialize_bookmark(marker), order) if marker else None)


def ordering(sort: str, name: Any, unique: Any) -> list[Any]:
    """ORDER BY for the sorts that most lists know: name, created_at, and each with a minus for descending.

    Ids are made in the order of time, so that they stand for `created_at`.
    """
    columns = [name, unique] if sort.removeprefix("-") == "name" else [unique]
    return [column.desc() for column in columns] if sort.startswith("-") else columns


def _checksum(order: str, bookmark: bytes) -> bytes:
    return hashlib.sha256(order.encode() + b"\0" + bookmark).digest()[:_CHECKSUM_BYTES]


def _cursor(bookmark: str, order: str) -> str:
    raw = bookmark.encode()
    return base64.urlsafe_b64encode(_checksum(order, raw) + raw).decode().rstrip("=")


def _place(cursor: str, order: str) -> tuple[Any, ...]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as broken:
        raise _refusal() from broken
    checksum, bookmark = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
    if checksum != _checksum(order, bookmark):
        raise _refusal()
    try:
        place = unserialize_bookmark(bookmark.decode()).place
    except (ValueError, ArithmeticError, csv.Error) as broken:
        raise _refusal() from broken
    if place is None:
        raise _refusal()
    return tuple(place)


def _is_of_values(error: ArgumentError | StatementError) -> bool:
    """Whether a statement failed for what it was given, not for a database that is away."""
    return not isinstance(error, DBAPIError) or isinstance(error, ProgrammingError | DataError)


def _refusal() -> InvalidCursor:
    return InvalidCursor(
        "This cursor was not given out for this list; start again without a cursor.", pointer="/cursor"
    )
