"""What lists of a form offer to choose from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from db import choices
from db.choices import MOST, Choices
from db.session import Database, Reader
from domain.money import Money
from domain.principal import Principal, Side

__all__ = [
    "CURRENCIES",
    "MOST",
    "OWNER",
    "PARTNER",
    "Choices",
    "Lookup",
    "Meant",
    "active_partners",
    "as_id",
    "currencies",
    "for_deals",
    "meant",
    "people_of",
    "with_chosen",
]

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


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds whom a filter names: an id by words, and what that id is called."""

    by_words: Callable[[Reader, Principal, str], Awaitable[UUID | None]]
    by_id: Callable[[Reader, Principal, UUID], Awaitable[str | None]]


OWNER = Lookup(choices.owner_called, choices.owner_named)
PARTNER = Lookup(partial(choices.partner_called, also_gone=True), choices.partner_named)


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a filter means: an id, or words that name nobody; and what was typed that names nobody."""

    value: str = ""
    typed: str = ""


async def meant(
    database: Database, principal: Principal, lookup: Lookup, chosen: str, typed: str = ""
) -> Meant:
    """What is typed goes before what is chosen, if it names somebody; else it stays, to be mended."""
    found = await _found(database, principal, lookup, typed or chosen)
    if found is not None:
        return Meant(found)
    if typed and chosen:
        return Meant((await meant(database, principal, lookup, chosen)).value, typed)
    return Meant(typed or chosen, typed or chosen)


async def _found(database: Database, principal: Principal, lookup: Lookup, words: str) -> str | None:
    """The id that words are, or that of whoever is called so."""
    known = as_id(words)
    if known is None and words:
        async with database.connection() as reader:
            known = await lookup.by_words(reader, principal, words)
    return str(known) if known is not None else None


async def with_chosen(
    database: Database, principal: Principal, lookup: Lookup, listed: Choices, value: str
) -> Choices:
    """The list with whoever is chosen in it: it holds neither all of many nor who is no longer here."""
    chosen = as_id(value)
    if chosen is None or any(each == chosen for each, _ in listed):
        return listed
    async with database.connection() as reader:
        name = await lookup.by_id(reader, principal, chosen)
    return [(chosen, name), *listed] if name is not None else listed


def as_id(words: str) -> UUID | None:
    """The id that the words are; None where they are none."""
    try:
        return UUID(words)
    except ValueError:
        return None
