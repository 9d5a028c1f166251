"""Accounts: the companies that are sold to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.edits import updated
from db.pages import Page, PageRequest
from db.session import violated
from db.tables import Account, OpportunityPartnerRow, OpportunityRow, User
from domain.errors import AlreadyExists, NotFound
from domain.opportunity.state import Customer
from domain.principal import Actor, Principal


def visible_accounts(principal: Principal) -> ColumnElement[bool]:
    """The vendor sees every account; a partner sees those of the deals that it takes part in."""
    if principal.partner_id is None:
        return true()
    on_shared_deals = (
        select(col(OpportunityRow.account_id))
        .join(OpportunityPartnerRow, col(OpportunityPartnerRow.opportunity_id) == col(OpportunityRow.id))
        .where(col(OpportunityPartnerRow.partner_id) == principal.partner_id)
    )
    return col(Account.id).in_(on_shared_deals)


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: PageRequest,
    *,
    q: str | None = None,
    sort: str = "name",
) -> Page[Account]:
    """The accounts that the principal may see, by name where `sort` says nothing else."""
    statement = (
        select(Account)
        .where(visible_accounts(principal))
        .order_by(*pages.ordering(sort, col(Account.name), col(Account.id)))
    )
    if q:
        statement = statement.where(
            or_(
                col(Account.name).icontains(q, autoescape=True),
                col(Account.domain).icontains(q, autoescape=True),
            )
        )
    found = await pages.fetch(session, statement, wanted, order=f"accounts:{sort}")
    return found.map(lambda row: row[0])


async def get(session: AsyncSession, principal: Principal, account_id: UUID) -> Account:
    """One account. Raises `NotFound`, also for an account that the principal does not see."""
    statement = select(Account).where(visible_accounts(principal), col(Account.id) == account_id)
    account = (await session.execute(statement)).scalar_one_or_none()
    if account is None:
        raise NotFound("There is no such account.")
    return account


async def add(session: AsyncSession, account: Account) -> Account:
    """Keep a new account. The same id again (a repeated request) changes nothing.

    Raises `AlreadyExists` when the external id is taken.
    """
    # Updating the id to itself changes nothing, and makes RETURNING answer the row that is there.
    statement = insert(Account).values(**account.model_dump())
    statement = statement.on_conflict_do_update(
        index_elements=[col(Account.id)], set_={"id": statement.excluded.id}
    )
    try:
        return (await session.execute(statement.returning(Account))).scalar_one()
    except IntegrityError as error:
        raise _taken(error) from error


async def keep_customer(
    session: AsyncSession, account_id: UUID, customer: Customer, by: Actor, at: datetime
) -> None:
    """Keep the account of a deal's customer, unless it is there: `by` opened the deal `at` this instant."""
    statement = insert(Account).values(
        id=account_id,
        **customer.model_dump(include={"name", "domain", "country", "industry"}),
        custom={},
        version=1,
        created_by=select(col(User.id)).where(col(User.id) == by.id).scalar_subquery(),
        created_at=at,
        updated_at=at,
    )
    await session.execute(statement.on_conflict_do_nothing(index_elements=[col(Account.id)]))


async def change(session: AsyncSession, account: Account, changes: dict[str, Any], now: datetime) -> Account:
    """Change an account that was read before. Raises `StaleVersion` and `AlreadyExists`."""
    try:
        return await updated(session, account, changes, now)
    except IntegrityError as error:
        raise _taken(error) from error


def _taken(error: IntegrityError) -> Exception:
    if violated(error) == "uq_account_external":
        return AlreadyExists("An account with this external id is there already.")
    return error


async def match(session: AsyncSession, principal: Principal, *, name: str, domain: str | None) -> UUID | None:
    """The account of this domain, else the one of this name that has no other domain.

    Only among those that the principal sees: opening a deal must not tell a partner
    whom the vendor knows already. The price is a second account of that customer.
    """
    seen = select(col(Account.id)).where(visible_accounts(principal)).order_by(col(Account.id)).limit(1)
    if domain is not None:
        of_domain = seen.where(col(Account.domain) == domain)
        if (known := (await session.execute(of_domain)).scalar_one_or_none()) is not None:
            return known
    of_name = seen.where(func.lower(col(Account.name)) == name.lower())
    if domain is not None:
        of_name = of_name.where(col(Account.domain).is_(None))
    return (await session.execute(of_name)).scalar_one_or_none()
