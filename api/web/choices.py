"""What lists of a form offer to choose from."""

from __future__ import annotations

from uuid import UUID

from db import partners, people, playbooks
from db.pages import PageRequest
from db.session import Database
from domain.money import Money
from domain.principal import Principal, Role, Side

MOST = 200
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
Choices = list[tuple[UUID, str]]


def currencies(current: Money | None = None) -> list[tuple[str, str]]:
    """The currencies most in use, and the one that is there already."""
    codes = list(CURRENCIES)
    if current is not None and current.currency not in codes:
        codes.insert(0, current.currency)
    return [(code, code) for code in codes]


async def people_of(
    database: Database, principal: Principal, *, vendor: bool, partner_id: UUID | None = None
) -> Choices:
    """The active people of the vendor, or of a partner, whom the principal sees."""
    async with database.read() as session:
        found = await people.page(
            session, principal, PageRequest(MOST), organisation_id=partner_id, active=True
        )
    wanted = Side.VENDOR if vendor and partner_id is None else Side.PARTNER
    return [(user.id, user.name) for user, _ in found.items if Role(user.roles[0]).side is wanted]


async def active_partners(database: Database, principal: Principal) -> Choices:
    """The partners that may join a deal."""
    async with database.read() as session:
        found = await partners.page(session, principal, PageRequest(MOST), status="active")
    return [(partner.id, partner.name) for partner in found.items]


async def published_playbooks(database: Database) -> list[tuple[str, str]]:
    """The playbooks a deal can start with."""
    async with database.read() as session:
        found = await playbooks.page(session, PageRequest(MOST))
    return [(row.key, row.title) for row in found.items]
