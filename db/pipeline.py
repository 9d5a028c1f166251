"""The pipeline: lists of opportunities, read from denormalised rows. `db.board` has the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Numeric,
    Select,
    SQLColumnExpression,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.opportunity import visible
from db.pages import AnyRow, Page, PageRequest
from db.tables import OpportunityPartnerRow, OpportunityRow
from domain.errors import InvalidInput
from domain.made import made
from domain.money import Money
from domain.opportunity.state import Customer, DealPartner, Person
from domain.principal import Principal

Deal = OpportunityRow


@dataclass(frozen=True, slots=True)
class Filters:
    """Which opportunities: all of what is given must hold. `q` is searched in title, customer and domain."""

    stage: str | None = None
    phase: str | None = None
    status: str | None = None
    closed: bool | None = None
    partner_id: UUID | None = None
    owner_id: UUID | None = None
    account_id: UUID | None = None
    playbook: str | None = None
    turn: str | None = None
    q: str | None = None
    updated_since: datetime | None = None
    close_before: date | None = None
    close_after: date | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """An opportunity in a list: all but its tasks and its story."""

    id: UUID
    version: int
    title: str
    status: str
    closed: bool
    customer: Customer
    account_id: UUID | None
    amount: Money | None
    expected_close: date | None
    owner: Person | None
    playbook_key: str
    playbook_version: int
    stage_key: str
    stage: str
    stage_entered_at: datetime
    stage_due_at: datetime | None
    phase: str
    probability: int
    turn: str | None
    waits_for: str | None
    next_step: str | None
    next_due_at: datetime | None
    partners: tuple[DealPartner, ...]
    created_at: datetime
    updated_at: datetime


COLUMNS: tuple[Any, ...] = (
    col(Deal.id),
    col(Deal.version),
    col(Deal.title),
    col(Deal.status),
    col(Deal.closed),
    col(Deal.account_id),
    col(Deal.amount),
    col(Deal.currency),
    col(Deal.expected_close),
    col(Deal.owner_id),
    col(Deal.owner),
    col(Deal.playbook_key),
    col(Deal.playbook_version),
    col(Deal.stage_key),
    col(Deal.stage),
    col(Deal.phase),
    col(Deal.probability),
    col(Deal.turn),
    col(Deal.waits_for),
    col(Deal.next_step),
    col(Deal.next_due_at),
    col(Deal.created_at),
    col(Deal.updated_at),
    col(Deal.card),
)


def summary(row: AnyRow) -> Summary:
    """Most of it was checked when it was recorded, and is not again: a page has many of them."""
    stage = row.card["stage"]
    due_at = stage["due_at"]
    return Summary(
        id=row.id,
        version=row.version,
        title=row.title,
        status=row.status,
        closed=row.closed,
        customer=made(Customer, **row.card["customer"]),
        account_id=row.account_id,
        amount=made(Money, amount=row.amount, currency=row.currency) if row.amount is not None else None,
        expected_close=row.expected_close,
        owner=made(Person, id=row.owner_id, name=row.owner) if row.owner_id else None,
        playbook_key=row.playbook_key,
        playbook_version=row.playbook_version,
        stage_key=row.stage_key,
        stage=row.stage,
        stage_entered_at=datetime.fromisoformat(stage["entered_at"]),
        stage_due_at=datetime.fromisoformat(due_at) if due_at else None,
        phase=row.phase,
        probability=row.probability,
        turn=row.turn,
        waits_for=row.waits_for,
        next_step=row.next_step,
        next_due_at=row.next_due_at,
        partners=tuple(DealPartner.model_validate(partner) for partner in row.card["partners"]),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _takes_part(partner_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        col(OpportunityPartnerRow.opportunity_id) == col(Deal.id),
        col(OpportunityPartnerRow.partner_id) == partner_id,
    )


def _has(word: str) -> ColumnElement[bool]:
    """Deals with this word. It stands in the statement itself, so that PostgreSQL plans for the word.

    As a parameter it would be any word soon, rare and frequent alike, and the search would go through
    all deals.
    """
    text = word.replace("/", "//").replace("%", "/%").replace("_", "/_")
    pattern = bindparam(None, f"%{text}%", type_=String(), literal_execute=True)
    return col(Deal.search).like(pattern, escape="/")


def conditions(principal: Principal, wanted: Filters) -> list[ColumnElement[bool]]:
    found = [visible(principal)]
    equal = {
        Deal.stage_key: wanted.stage,
        Deal.phase: wanted.phase,
        Deal.status: wanted.status,
        Deal.owner_id: wanted.owner_id,
        Deal.account_id: wanted.account_id,
        Deal.playbook_key: wanted.playbook,
        Deal.turn: wanted.turn,
    }
    found += [col(field) == value for field, value in equal.items() if value is not None]
    if wanted.closed is not None:
        found.append(and_(col(Deal.closed)) if wanted.closed else ~col(Deal.closed))
    if wanted.partner_id is not None:
        found.append(_takes_part(wanted.partner_id))
    found += [_has(word) for word in (wanted.q or "").lower().split()]
    if wanted.updated_since is not None:
        found.append(col(Deal.updated_at) >= wanted.updated_since)
    if wanted.close_before is not None:
        found.append(col(Deal.expected_close) < wanted.close_before)
    if wanted.close_after is not None:
        found.append(col(Deal.expected_close) > wanted.close_after)
    return found


# Written out, not bound: the indexes on these expressions know them by their text.
_NO_DATE = literal_column("'9999-12-31'", Date)
_NO_AMOUNT = literal_column("0", Numeric(14, 2))
_SORTS: dict[str, SQLColumnExpression[Any]] = {
    "updated_at": col(Deal.updated_at),
    "created_at": col(Deal.created_at),
    "title": col(Deal.title),
    "amount": func.coalesce(col(Deal.amount), _NO_AMOUNT),
    "expected_close": func.coalesce(col(Deal.expected_close), _NO_DATE),
}
SORTS: tuple[str, ...] = tuple(name for sort in _SORTS for name in (sort, f"-{sort}"))


def _ordered(conditions: list[ColumnElement[bool]], sort: str) -> Select[*tuple[Any, ...]]:
    """What is sorted by comes first: the cursor's library looks for it among the columns, one by one."""
    key = _SORTS.get(sort.removeprefix("-"))
    if key is None:
        raise InvalidInput(f"Sort by one of: {', '.join(SORTS)}.", pointer="/sort")
    statement = select(key.label("sort_key"), *COLUMNS).where(*conditions)
    if sort.startswith("-"):
        return statement.order_by(key.desc(), col(Deal.id).desc())
    return statement.order_by(key, col(Deal.id))


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: Filters,
    request: PageRequest,
    *,
    sort: str = "-updated_at",
) -> Page[Summary]:
    """The opportunities that the principal may see, filtered and sorted.

    Raises:
        InvalidInput: an unknown sort.
        InvalidCursor: a cursor of another list or sort.
    """
    statement = _ordered(conditions(principal, wanted), sort)
    found = await pages.fetch(session, statement, request, order=f"opportunities:{sort}")
    return found.map(summary)
