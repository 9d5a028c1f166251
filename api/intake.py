"""What a request names by id, looked up in the principal's scope and put into commands.

What is not there, or not for the principal, is refused at the place where it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db import accounts, directory, partners, people, playbooks, policies
from db.session import Database
from db.tables.base import utc_now
from domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.state import CheckInFor, Custom, Customer, DealPartner, Opportunity, Person
from domain.playbook import PartnerRole, Playbook
from domain.principal import Principal, Role, Side
from runtime.ids import new_id


class CustomerWish(Protocol):
    """The buyer as a body describes it."""

    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...
    @property
    def industry(self) -> str | None: ...
    @property
    def account_id(self) -> UUID | None: ...


class PartnerWish(Protocol):
    """A partner to take part, and as what."""

    @property
    def partner_id(self) -> UUID: ...
    @property
    def role(self) -> PartnerRole: ...


class OpportunityWish(Protocol):
    """A new opportunity as a person or a program describes it."""

    @property
    def title(self) -> str: ...
    @property
    def customer(self) -> CustomerWish: ...
    @property
    def amount(self) -> Money | None: ...
    @property
    def expected_close(self) -> date | None: ...
    @property
    def playbook(self) -> str: ...
    @property
    def partners(self) -> Sequence[PartnerWish]: ...
    @property
    def owner_id(self) -> UUID | None: ...
    @property
    def custom(self) -> Custom: ...


@contextmanager
def _at(pointer: str) -> Iterator[None]:
    """What is not found is wrong input, here."""
    try:
        yield
    except NotFound as missing:
        raise InvalidInput(missing.detail, pointer=pointer) from missing


async def opening(
    database: Database, principal: Principal, opportunity_id: UUID, body: OpportunityWish
) -> ask.Open:
    """The command that opens the deal a body describes.

    Raises:
        InvalidInput: a playbook, account, owner or partner that is not there, or not for the principal.
    """
    async with database.read() as session:
        with _at("/playbook"):
            book = await playbooks.latest(session, body.playbook)
        policy = await policies.newest(session, book.discount_policy)
        named = [
            await _partner(session, principal, wish, f"/partners/{index}/partner_id")
            for index, wish in enumerate(body.partners)
        ]
        owner = await _owner(session, principal, body.owner_id) if body.owner_id else _opener(principal)
        customer, account_id = await _customer(session, principal, body.customer)
        calendar = await directory.working_calendar(session, owner.id, utc_now().date()) if owner else None
    return ask.Open(
        id=opportunity_id,
        title=body.title,
        customer=customer,
        account_id=account_id,
        amount=body.amount,
        expected_close=body.expected_close,
        owner=owner,
        playbook=book,
        policy=policy,
        calendar=calendar,
        partners=tuple(named) or _own_organisation(principal, book),
        custom=body.custom,
    )


async def owner(database: Database, principal: Principal, user_id: UUID | None) -> Person | None:
    """The vendor's person with this id, as a deal's owner; nobody for None. Raises `InvalidInput`."""
    if user_id is None:
        return None
    async with database.read() as session:
        return await _owner(session, principal, user_id)


async def assignee(
    database: Database, principal: Principal, user_id: UUID | None, pointer: str
) -> ask.Assignee | None:
    """Somebody whom the principal sees, to give a task to; nobody for None.

    Raises `InvalidInput`, also for who has left.
    """
    if user_id is None:
        return None
    async with database.read() as session:
        with _at(pointer):
            user, organisation = await people.get(session, principal, user_id)
    if not user.active:
        raise InvalidInput(f"{user.name} is no longer here; choose somebody else.", pointer=pointer)
    side = Role(user.roles[0]).side
    partner_id = organisation.id if side is Side.PARTNER else None
    return ask.Assignee(id=user.id, name=user.name, side=side, partner_id=partner_id)


async def looked_after_by(
    database: Database, principal: Principal, user_id: UUID | None, pointer: str
) -> CheckInFor | None:
    """Somebody whom the principal sees, to look after a deal's check-ins; both sides for None.

    Raises `InvalidInput`.
    """
    found = await assignee(database, principal, user_id, pointer)
    if found is None:
        return None
    return CheckInFor(person=found.person, side=found.side, partner_id=found.partner_id)


async def refreshed_calendar(database: Database, deal: Opportunity) -> ask.RefreshCalendar:
    """The command that lets a deal go by its owner's calendar of today. Raises `Conflict` without one."""
    if deal.owner is None:
        raise Conflict("Nobody owns this deal, and it goes by its owner's calendar; give it an owner first.")
    async with database.read() as session:
        calendar = await directory.working_calendar(session, deal.owner.id, utc_now().date())
    return ask.RefreshCalendar(calendar=calendar)


async def deal_partner(database: Database, principal: Principal, wish: PartnerWish) -> DealPartner:
    """The partner that shall join a deal. Raises `InvalidInput`."""
    async with database.read() as session:
        return await _partner(session, principal, wish, "/partner_id")


async def _partner(
    session: AsyncSession, principal: Principal, wish: PartnerWish, pointer: str
) -> DealPartner:
    with _at(pointer):
        partner = await partners.get(session, principal, wish.partner_id)
    if partner.status != "active":
        raise InvalidInput(f"{partner.name} is not an active partner.", pointer=pointer)
    return DealPartner(id=partner.id, name=partner.name, role=wish.role)


async def _owner(session: AsyncSession, principal: Principal, user_id: UUID) -> Person:
    if principal.side is Side.PARTNER:
        raise Forbidden("The vendor says who owns a deal; leave owner_id out.")
    with _at("/owner_id"):
        user, _ = await people.get(session, principal, user_id)
    if not user.active or Role(user.roles[0]).side is not Side.VENDOR:
        raise InvalidInput(
            f"{user.name} cannot own a deal: choose one of the vendor's people.", pointer="/owner_id"
        )
    return Person(id=user.id, name=user.name)


def _opener(principal: Principal) -> Person | None:
    """Who opens a deal on the vendor's side owns it; one that a partner brings waits for an owner."""
    if principal.side is Side.PARTNER:
        return None
    return Person(id=principal.id, name=principal.name)


def _own_organisation(principal: Principal, book: Playbook) -> tuple[DealPartner, ...]:
    """A partner that opens a deal takes part in it, in the role that the playbook wants first."""
    if principal.side is Side.VENDOR:
        return ()
    role = book.partner_roles[0] if book.partner_roles else PartnerRole.RESELLER
    return (DealPartner(id=principal.organisation_id, name=principal.organisation, role=role),)


async def _customer(session: AsyncSession, principal: Principal, wish: CustomerWish) -> tuple[Customer, UUID]:
    """The customer and its account: the one named, else the one of this domain or name, else a new one.

    A new one is kept together with the deal's opening: a deal that is not opened leaves nothing.
    """
    customer = Customer(name=wish.name, domain=wish.domain, country=wish.country, industry=wish.industry)
    if wish.account_id is not None:
        with _at("/customer/account_id"):
            account = await accounts.get(session, principal, wish.account_id)
        return customer, account.id
    known = await accounts.match(session, principal, name=wish.name, domain=wish.domain)
    return customer, known or new_id()
