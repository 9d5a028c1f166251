"""The board: the deals that are not closed, in columns; their sums are kept where the filters allow it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Label,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    bindparam,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from db import pipeline_totals
from db.pages import AnyRow
from db.pipeline import Filters, conditions
from db.session import Database
from db.tables import OpportunityRow, PipelineTotal
from domain.made import made
from domain.money import Money
from domain.principal import Principal

Deal = OpportunityRow

_KEPT = frozenset({"playbook", "partner_id"})
"""By what the kept totals can be filtered."""


class Named(NamedTuple):
    """Somebody of a deal, where no more than the name is shown."""

    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """A deal as a board shows it: no more, since a board has many."""

    id: UUID
    title: str
    customer: str
    stage: str
    status: str
    amount: Money | None
    owner: Named | None
    partners: tuple[Named, ...]
    turn: str | None
    waits_for: str | None
    next_step: str | None
    next_due_at: datetime | None


_SHOWN = (
    col(Deal.id),
    col(Deal.title),
    col(Deal.customer),
    col(Deal.stage),
    col(Deal.status),
    col(Deal.amount),
    col(Deal.currency),
    col(Deal.owner),
    col(Deal.turn),
    col(Deal.waits_for),
    col(Deal.next_step),
    col(Deal.next_due_at),
    type_coerce(col(Deal.card), JSONB)["partners"].label("partners"),
)


def _card(row: AnyRow) -> Card:
    """What was checked when it was recorded is not checked again."""
    return Card(
        id=row.id,
        title=row.title,
        customer=row.customer,
        stage=row.stage,
        status=row.status,
        amount=made(Money, amount=row.amount, currency=row.currency) if row.amount is not None else None,
        owner=Named(row.owner) if row.owner else None,
        partners=tuple([Named(partner["name"]) for partner in row.partners]),
        turn=row.turn,
        waits_for=row.waits_for,
        next_step=row.next_step,
        next_due_at=row.next_due_at,
    )


@dataclass(slots=True)
class Column:
    """A column of the board: how many deals, their value for each currency, and the first cards."""

    key: str
    count: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which board: whose, of which deals, by `stage` or by `phase`."""

    principal: Principal
    wanted: Filters
    by: str
    keys: tuple[str, ...]

    @property
    def kind(self) -> SQLColumnExpression[str]:
        return col(Deal.stage_key) if self.by == "stage" else col(Deal.phase)

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        return [*conditions(self.principal, self.wanted), ~col(Deal.closed)]

    @property
    def is_kept(self) -> bool:
        """Whether the kept totals answer it: they tell apart what `_KEPT` names, and one partner's deals."""
        given = {each.name for each in fields(self.wanted) if getattr(self.wanted, each.name) is not None}
        of = self.principal.partner_id
        return (
            given - {"closed"} <= _KEPT
            and not self.wanted.closed
            and (of or self.wanted.partner_id) == (self.wanted.partner_id or of)
        )


async def board(
    database: Database,
    principal: Principal,
    wanted: Filters,
    *,
    by: str,
    keys: Sequence[str],
    cards: int = 10,
) -> list[Column]:
    """The deals that are not closed, by `stage` (of one playbook) or by `phase`: a column for each key.

    Sums and cards are asked for at once, each on a connection of its own.
    """
    asked = _Asked(principal, wanted, by, tuple(keys))
    columns = {key: Column(key) for key in keys}
    sums = _kept_sums(asked) if asked.is_kept else _live_sums(asked)
    _, found = await asyncio.gather(_count(database, columns, sums), _cards(database, asked, cards))
    for key, card in found:
        columns[key].cards.append(card)
    return list(columns.values())


def _kept_sums(asked: _Asked) -> Select[*tuple[Any, ...]]:
    kind = col(PipelineTotal.stage_key) if asked.by == "stage" else col(PipelineTotal.phase)
    statement = pipeline_totals.open_sums(kind, asked.principal.partner_id or asked.wanted.partner_id)
    if asked.wanted.playbook is not None:
        statement = statement.where(col(PipelineTotal.playbook_key) == asked.wanted.playbook)
    return statement


def _live_sums(asked: _Asked) -> Select[*tuple[Any, ...]]:
    return (
        select(asked.kind.label("key"), col(Deal.currency), func.count(), func.sum(col(Deal.amount)))
        .where(*asked.conditions)
        .group_by(asked.kind, col(Deal.currency))
    )


async def _count(database: Database, columns: dict[str, Column], sums: Select[*tuple[Any, ...]]) -> None:
    async with database.connection() as reader:
        rows = (await reader.execute(sums)).all()
    for key, currency, count, value in rows:
        if count and (counted := columns.get(key)) is not None:
            counted.count += count
            if currency is not None and value is not None:
                counted.value[currency] = value


async def _cards(database: Database, asked: _Asked, most: int) -> list[tuple[str, Card]]:
    """The latest deals of each column."""
    async with database.connection() as reader:
        rows = (await reader.execute(_latest_cards(asked, most))).all()
    return [(row.column_key, _card(row)) for row in rows]


@lru_cache(maxsize=64)
def _latest_cards(asked: _Asked, most: int) -> Select[*tuple[Any, ...]]:
    """Kept, since a board is looked at again and again, and to put it together takes as long as to ask it."""
    latest = (_ranked if asked.wanted.q else _latest)(asked, most)
    key: Label[str] = asked.kind.label("column_key")
    return (
        select(key, *_SHOWN)
        .join(latest, latest.c.id == col(Deal.id))
        .order_by(col(Deal.updated_at).desc(), col(Deal.id).desc())
    )


def _latest(asked: _Asked, most: int) -> Subquery:
    """Found by index: the same short search once for each column."""
    keys = bindparam("keys", list(asked.keys), type_=ARRAY(String))
    column = select(func.unnest(keys).label("key")).subquery("asked")
    few = (
        select(col(Deal.id))
        .where(*asked.conditions, asked.kind == column.c.key)
        .order_by(col(Deal.updated_at).desc(), col(Deal.id).desc())
        .limit(most)
        .lateral("few")
    )
    return select(few.c.id).select_from(column.join(few, true())).subquery("latest")


def _ranked(asked: _Asked, most: int) -> Subquery:
    """Found by one search for all columns: words have no order, so that each column would search them all."""
    latest = (col(Deal.updated_at).desc(), col(Deal.id).desc())
    place = func.row_number().over(partition_by=asked.kind, order_by=latest).label("place")
    found = select(col(Deal.id), place).where(*asked.conditions, asked.kind.in_(asked.keys)).subquery("found")
    return select(found.c.id).where(found.c.place <= most).subquery("latest")
