"""Accounts: the companies that are sold to, and the deals with them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.fields import Search
from api.principal import PrincipalDep, require
from api.services import DatabaseDep
from api.v1.accounts import AccountCreate
from api.v1.schemas import with_external
from api.web.forms import FormDep, Refusal, WebRoute, claimed, form_page, parse
from api.web.lists import PER_PAGE, Cursor, more_url, stats
from api.web.rendering import go, page
from db import accounts, pipeline, totals
from db.pages import PageRequest
from db.pipeline import Filters
from db.tables import Account
from domain.errors import TandemError
from domain.principal import Action, Principal

router = APIRouter(prefix="/accounts", include_in_schema=False, route_class=WebRoute)


@router.get("")
async def read_all(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    q: Search = "",
    cursor: Cursor = None,
) -> Response:
    """The accounts, by name."""
    async with database.read() as session:
        found = await accounts.page(session, principal, PageRequest(PER_PAGE, cursor), q=q or None)
        standings = await totals.of_accounts(session, principal, [each.id for each in found.items])
    return page(
        request,
        "accounts/index.html",
        principal=principal,
        section="accounts",
        companies=[(each, standings[each.id]) for each in found.items],
        q=q,
        may_add=principal.may(Action.MANAGE_ACCOUNTS),
        more_url=more_url(request, found.next_cursor),
    )


@router.get("/new")
async def ask_for_new(
    request: Request, principal: Annotated[Principal, require(Action.MANAGE_ACCOUNTS)]
) -> Response:
    """The form for a new account."""
    return _form(request, principal, {})


@router.post("/new")
async def add(
    request: Request,
    principal: Annotated[Principal, require(Action.MANAGE_ACCOUNTS)],
    database: DatabaseDep,
    form: FormDep,
) -> Response:
    """Add an account, and show it."""
    typed = form.given("name", "domain", "industry")
    if country := form.get("country"):
        typed["country"] = country.upper()
    try:
        body = parse(AccountCreate, typed)
        minted = await claimed(database, principal, form)
        account = Account(
            **with_external({**dict(body), "id": minted.resource_id, "created_by": principal.id})
        )
        async with database.transaction() as session:
            await accounts.add(session, account)
    except TandemError as error:
        return _form(request, principal, form.values, Refusal.of(error))
    return go(request, f"/accounts/{account.id}", f"{account.name} is an account now.")


def _form(request: Request, principal: Principal, values: Any, refusal: Refusal | None = None) -> Response:
    return form_page(
        request,
        "accounts/form.html",
        values,
        refusal,
        principal=principal,
        section="accounts",
    )


@router.get("/{account_id}")
async def read(
    account_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    cursor: Cursor = None,
) -> Response:
    """One account and its deals."""
    async with database.read() as session:
        account = await accounts.get(session, principal, account_id)
        standings = await totals.of_accounts(session, principal, [account.id])
        deals = await pipeline.page(
            session, principal, Filters(account_id=account.id), PageRequest(PER_PAGE, cursor)
        )
    return page(
        request,
        "accounts/page.html",
        principal=principal,
        section="accounts",
        account=account,
        stats=stats(standings[account.id]),
        deals=deals.items,
        may_open=principal.may(Action.OPEN_OPPORTUNITY),
        more_url=more_url(request, deals.next_cursor),
    )
