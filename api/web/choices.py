"""What lists of a form offer to choose from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db import choices
from db.choices import MOST, Choices
from db.session import Database
from domain.money import Money
from domain.principal import Principal, Side

__all__ = ["CURRENCIES", "MOST", "Choices", "active_partners", "currencies", "for_deals", "people_of"]

CURRENCIES = (
    "USD",
    "EUR",
    "GBP",
    "CHF",
    "JPY",
    "CAD",
    "AUD",
    "INR",
    "CNY",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "BRL",
)


def currencies(current: Money | None = None) -> list[tuple[str, str]]:
    """The currencies most in use, and the one that is there already."""
    codes = list(CURRENCIES)
    if current is not None and current.currency not in codes:
        codes.insert(0, current.currency)
    return [(code, code) for code in codes]


async def people_of(
    database: Database, principal: Principal, side: Side, organisation_id: UUID | None = None
) -> Choices:
    """The active people of a side whom the principal sees; of one organisation, where it is given."""
    async with database.connection() as reader:
        return await choices.people_of(reader, principal, side, organisation_id)


async def active_partners(database: Database, principal: Principal) -> Choices:
    """The partners that may join a deal."""
    async with database.connection() as reader:
        return await choices.active_partners(reader, principal)


async def for_deals(database: Database, principal: Principal) -> dict[str, list[Any]]:
    """What a deal is made of or found by: playbooks, and for the vendor its people and the partners."""
    vendor = principal.side is Side.VENDOR
    async with database.connection() as reader:
        return {
            "playbooks": await choices.published_playbooks(reader),
            "owners": await choices.people_of(reader, principal, Side.VENDOR) if vendor else [],
            "partners": await choices.active_partners(reader, principal) if vendor else [],
        }
