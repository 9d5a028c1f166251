"""The people and accounts of an import: found here, or made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db import crm_import as rows
from db import directory, partners
from db.session import Database
from db.tables import Account, Organisation, OrganisationKind, User
from db.tables.base import utc_now
from domain.calendar import Calendar
from domain.crm_import import records
from domain.crm_import.ids import imported_id
from domain.crm_import.mapping import ImportMapping
from domain.errors import InvalidInput
from domain.principal import Actor, Role, Side
from runtime.ids import new_id

ROLES = (Role.SALES_REP,)
"""What the owners of imported deals are, in the events of their deals and as people here."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""People and accounts come without a date: their ids are made of this one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Who and what the deals speak of, by name; and how many of them are new."""

    owners: dict[str, Actor]
    calendars: dict[UUID, Calendar]
    """Those of the owners, by whose hours and holidays their deals go."""
    accounts: dict[str, UUID]
    new_people: int
    new_accounts: int


async def prepare(
    database: Database, mapping: ImportMapping, export: records.Export, *, dry_run: bool
) -> Reference:
    """Make the people and accounts that are missing; for a dry run, only see which.

    Raises:
        InvalidInput: an address belongs to somebody of a partner.
    """
    async with database.transaction() as session:
        attempt = await session.begin_nested()
        vendor = await partners.vendor(session) or await _new_vendor(session, mapping)
        owners, new_people = await _people(session, mapping, export.people, vendor)
        accounts, new_accounts = await _accounts(session, mapping, export.accounts)
        calendars = await _calendars(session, owners)
        await (attempt.rollback() if dry_run else attempt.commit())
    return Reference(owners, calendars, accounts, new_people, new_accounts)


async def _calendars(session: AsyncSession, owners: dict[str, Actor]) -> dict[UUID, Calendar]:
    """Each owner's calendar, looked up once, however many deals she has."""
    today = utc_now().date()
    ids = {owner.id for owner in owners.values() if owner.id is not None}
    return {each: await directory.working_calendar(session, each, today) for each in ids}


async def _new_vendor(session: AsyncSession, mapping: ImportMapping) -> Organisation:
    vendor = Organisation(
        id=new_id(), kind=OrganisationKind.VENDOR, name=mapping.vendor, domain=mapping.email_domain
    )
    return await partners.add(session, vendor)


async def _people(
    session: AsyncSession, mapping: ImportMapping, people: list[records.Person], vendor: Organisation
) -> tuple[dict[str, Actor], int]:
    emails = {person.email.lower() for person in people}
    before = await rows.people_of(session, mapping.source, emails)
    await rows.add_people(session, [_user(mapping, person, vendor) for person in people])
    users = await rows.people_of(session, mapping.source, emails)
    by_name = {user.external_id: user for user in users if user.external_source == mapping.source}
    by_email = {user.email.lower(): user for user in users}
    owners = {}
    for person in people:
        user = by_name.get(person.name) or by_email[person.email.lower()]
        if user.organisation_id != vendor.id:
            raise InvalidInput(
                f"{user.email} belongs to a partner's person, so {person.name} cannot have this address: "
                "choose another email_domain, or give an address under emails, in the mapping."
            )
        owners[person.name] = _actor(user, vendor)
    return owners, len({user.id for user in users} - {user.id for user in before})


def _user(mapping: ImportMapping, person: records.Person, vendor: Organisation) -> User:
    return User(
        id=imported_id(_LONG_AGO, mapping.source, "person", person.name),
        organisation_id=vendor.id,
        email=person.email,
        name=person.name,
        roles=list(ROLES),
        external_source=mapping.source,
        external_id=person.name,
    )


def _actor(user: User, vendor: Organisation) -> Actor:
    """The person as a sales rep of the vendor, whatever the roles are by now."""
    return Actor(
        id=user.id,
        name=user.name,
        side=Side.VENDOR,
        organisation_id=vendor.id,
        organisation=vendor.name,
        roles=ROLES,
    )


async def _accounts(
    session: AsyncSession, mapping: ImportMapping, accounts: list[records.Account]
) -> tuple[dict[str, UUID], int]:
    before = await rows.accounts_of(session, mapping.source)
    new = [_account(mapping, account) for account in accounts if account.name not in before]
    await rows.add_accounts(session, new)
    return await rows.accounts_of(session, mapping.source), len(new)


def _account(mapping: ImportMapping, account: records.Account) -> Account:
    return Account(
        id=imported_id(_LONG_AGO, mapping.source, "account", account.name),
        name=account.name,
        country=account.country,
        industry=account.industry,
        custom=account.custom,
        external_source=mapping.source,
        external_id=account.name,
    )
