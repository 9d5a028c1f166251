"""What is read of an export: rows as they stand there, and what becomes of them here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domain.crm_import.mapping import StageMeaning


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a CSV file. `wrong` says what is the matter with the row as a whole, if anything is."""

    file: str
    line: int
    cells: dict[str, str]
    raw: tuple[str, ...]
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not taken, and why: `fields` are the columns that the reason speaks of."""

    row: Row
    id: str
    fields: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """A sales person of the vendor."""

    name: str
    email: str
    custom: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `country` is an ISO 3166-1 code."""

    name: str
    industry: str | None = None
    country: str | None = None
    custom: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold."""

    name: str
    list_price: Decimal | None = None
    custom: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity of the export. `closed_at` is set for closed deals, and only for them."""

    row: Row
    id: UUID
    external_id: str
    title: str
    meaning: StageMeaning
    opened_at: datetime
    account: Account | None
    customer: str
    owner: Person | None
    closed_at: datetime | None = None
    expected_close: date | None = None
    amount: Decimal | None = None
    custom: dict[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.closed_at is None


@dataclass(slots=True)
class Export:
    """All that was read. Every row of `rows` is in one of the lists, or in `rejects`."""

    rows: dict[str, int] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
