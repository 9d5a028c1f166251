"""Accounts: the companies that are sold to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.etag import PreconditionDep, answer_new, answer_version
from api.fields import (
    CountryCode,
    Custom,
    CustomValue,
    Domain,
    Input,
    Name,
    Search,
    ShortText,
    Sort,
    changes,
    unset,
)
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import WHEN, External, example, example_input, external_of, with_external
from db import accounts
from db.tables import Account
from domain.principal import Action, Principal, Side

router = APIRouter(prefix="/accounts", tags=["accounts"], route_class=TandemRoute)

Manager = Annotated[Principal, require(Action.MANAGE_ACCOUNTS)]

_EXAMPLE = {
    "name": "Acme",
    "domain": "acme.example",
    "country": "US",
    "industry": "manufacturing",
    "custom": {"crm_segment": "enterprise"},
    "external": {"source": "crm", "id": "0011x000004Bq2AAE"},
}


class AccountCreate(Input):
    """A company to sell to."""

    model_config = example_input(_EXAMPLE)

    name: Name
    domain: Domain | None = None
    country: CountryCode | None = None
    industry: ShortText | None = None
    custom: Custom = Field(default_factory=dict)
    external: External | None = None


class AccountUpdate(Input):
    """What is to change; what is left out stays. `custom` is replaced as a whole."""

    model_config = example_input({"industry": "automotive", "domain": None})

    name: Name = unset()
    domain: Domain | None = None
    country: CountryCode | None = None
    industry: ShortText | None = None
    custom: Custom = unset()
    external: External | None = None


class AccountPublic(BaseModel):
    """A company that is sold to. `custom` and `external` are the vendor's own: empty for partners."""

    model_config = example(
        {
            "id": "0198c5a2-9a40-7b1d-b0c5-0b2f4f1f7c31",
            "version": 1,
            **_EXAMPLE,
            "created_at": WHEN,
            "updated_at": WHEN,
        }
    )

    id: UUID
    version: int
    name: str
    domain: str | None
    country: str | None
    industry: str | None
    custom: dict[str, CustomValue]
    external: External | None
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_accounts(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    q: Search = "",
    sort: Sort = "name",
) -> Listing[AccountPublic]:
    """The accounts that you may see: all for the vendor, those of shared deals for a partner."""
    async with database.read() as session:
        found = await accounts.page(session, principal, paging, q=q, sort=sort)
    return listing(request, response, found, partial(show, principal=principal))


@router.post("", status_code=201)
async def create_account(
    body: AccountCreate,
    request: Request,
    response: Response,
    principal: Manager,
    minted: MintedDep,
    database: DatabaseDep,
) -> AccountPublic:
    """Add an account."""
    values = with_external({**dict(body), "id": minted.resource_id, "created_by": principal.id})
    async with database.transaction() as session:
        account = await accounts.add(session, Account(**values))
    answer_new(request, response, account.version, "read_account", account_id=account.id)
    return show(account, principal)


@router.get("/{account_id}")
async def read_account(
    account_id: UUID, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> AccountPublic:
    """One account."""
    async with database.read() as session:
        account = await accounts.get(session, principal, account_id)
    answer_version(response, account.version)
    return show(account, principal)


@router.patch("/{account_id}")
async def update_account(
    account_id: UUID,
    body: AccountUpdate,
    response: Response,
    principal: Manager,
    precondition: PreconditionDep,
    database: DatabaseDep,
) -> AccountPublic:
    """Change an account."""
    async with database.transaction() as session:
        account = await accounts.get(session, principal, account_id)
        precondition.check(account.version)
        account = await accounts.change(session, account, with_external(changes(body)), datetime.now(UTC))
    answer_version(response, account.version)
    return show(account, principal)


def show(account: Account, principal: Principal) -> AccountPublic:
    """An account as the API answers it: what the vendor notes for itself is not for partners."""
    ours = principal.side is Side.VENDOR
    return AccountPublic(
        **account.model_dump(include=set(AccountPublic.model_fields) - {"custom", "external"}),
        custom=account.custom if ours else {},
        external=external_of(account) if ours else None,
    )
