"""What records of all processes share: events and read model in one statement, repeatable, told by NOTIFY."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, bindparam, delete, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from db.session import Reader
from db.tables import TimelineRow
from domain.principal import Actor

CHANNEL = "tandem_timeline"
"""Where PostgreSQL says that the timeline has grown."""

_OF_THE_DATABASE = frozenset({"position", "transaction"})
_TELL = """
    INSERT INTO timeline ({timeline})
    SELECT {timeline} FROM jsonb_populate_recordset(NULL::timeline, :timeline)
    ON CONFLICT DO NOTHING
    RETURNING 1
"""
_WRITE = """
    INSERT INTO {table} ({columns})
    SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, :{table})
    ON CONFLICT (id) DO UPDATE SET ({columns}) = ({excluded})
    WHERE {table}.version <= excluded.version OR {table}.updated_at < excluded.updated_at
    RETURNING id
"""
_REMOVE = """
    DELETE FROM {table} old USING written WHERE old.{owner} = written.id AND NOT EXISTS (
        SELECT FROM jsonb_populate_recordset(NULL::{table}, :{table}) new WHERE {same})
"""
_KEEP = """
    INSERT INTO {table}
    SELECT new.* FROM jsonb_populate_recordset(NULL::{table}, :{table}) new
    JOIN written ON written.id = new.{owner}
    ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ({excluded})
    WHERE ({table}.*) IS DISTINCT FROM (excluded.*)
"""
_TIMELINE = SQLModel.metadata.tables["timeline"]

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows to write, by the names of their tables; `timeline` among them."""


@dataclass(frozen=True, slots=True)
class Child:
    """A table whose rows belong to one row of the main table, by its column `owner`."""

    model: type[SQLModel]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class First:
    """An event's place in its stream, and its time; the first that a step is about to record."""

    stream_id: UUID
    sequence: int
    at: datetime


def _columns(model: type[SQLModel], *, of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in model.model_fields if name not in _OF_THE_DATABASE)


class Recorder:
    """Writes one kind of process: its timeline, its row in `main`, and the rows that belong to that."""

    def __init__(self, main: type[SQLModel], owner: str, *children: Child) -> None:
        self._tables = (str(main.__tablename__), *(str(child.model.__tablename__) for child in children))
        self._statement = _statement(main, owner, children)

    async def write(self, session: Reader, rows: Rows, streams: Sequence[UUID]) -> bool:
        """Write all of it in one statement; whether all events were new."""
        values = {name: rows[name] for name in ("timeline", *self._tables)}
        told: int = (
            await session.execute(
                self._statement, {**values, "streams": ",".join(str(each) for each in streams[:100])}
            )
        ).scalar_one()
        return told == len(rows["timeline"])


def _statement(main: type[SQLModel], owner: str, children: Sequence[Child]) -> TextClause:
    """All that a change leaves behind, in one statement: one round trip, and all of it or nothing.

    Rows travel as JSON. A row that says what is there already is not written again.
    """
    table = str(main.__tablename__)
    parts = {
        "told": _TELL.format(timeline=_columns(TimelineRow)),
        "written": _WRITE.format(
            table=table, columns=_columns(main), excluded=_columns(main, of="excluded.")
        ),
    }
    names = ["timeline", table]
    for child in children:
        name, keys = str(child.model.__tablename__), (owner, *child.key)
        words = {
            "table": name,
            "owner": owner,
            "key": ", ".join(f'"{key}"' for key in keys),
            "columns": _columns(child.model),
            "excluded": _columns(child.model, of="excluded."),
            "same": " AND ".join(f'new."{key}" = old."{key}"' for key in keys),
        }
        parts[f"{name}_removed"] = _REMOVE.format(**words)
        parts[f"{name}_kept"] = _KEEP.format(**words)
        names.append(name)
    steps = ",\n".join(f"{name} AS ({statement})" for name, statement in parts.items())
    return text(
        f"WITH {steps} SELECT (SELECT count(*) FROM told), pg_notify('{CHANNEL}', :streams)"  # noqa: S608 -- of our own names
    ).bindparams(*(bindparam(name, type_=JSONB) for name in names))


async def forget_abandoned(session: AsyncSession, firsts: Sequence[First]) -> bool:
    """Take back what was recorded in place of these events, and after them, by a step that never counted.

    A worker that dies after its record and before Temporal knows leaves such events. The
    step is done anew, later, and perhaps with other commands first: what it says is true.
    Answers whether there were any.
    """
    found = False
    for first in firsts:
        statement = delete(_TIMELINE).where(
            _TIMELINE.c.stream_id == first.stream_id,
            _TIMELINE.c.sequence >= first.sequence,
            _TIMELINE.c.at < first.at,
        )
        taken_back = await session.execute(statement.returning(_TIMELINE.c.sequence))
        found |= taken_back.first() is not None
    return found


async def forget_other(session: AsyncSession, event: First) -> None:
    """Take back what is recorded in place of this event, where it is another."""
    await session.execute(
        delete(_TIMELINE).where(
            _TIMELINE.c.stream_id == event.stream_id,
            _TIMELINE.c.sequence == event.sequence,
            _TIMELINE.c.at != event.at,
        )
    )


def actor_columns(by: Actor) -> dict[str, Any]:
    """Who did it, as the timeline keeps it."""
    return {
        "actor_id": by.id,
        "actor": by.name,
        "actor_side": by.side,
        "actor_organisation_id": by.organisation_id,
        "actor_organisation": by.organisation,
    }
