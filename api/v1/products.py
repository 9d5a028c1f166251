"""Products: what the vendor sells."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.etag import PreconditionDep, answer_new, answer_version
from api.fields import Input, MoneyInput, Name, Search, ShortText, Sort, changes, unset
from api.idempotency import MintedDep
from api.line_intake import cost_of
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import PRODUCT_ID, WHEN, External, example, example_input, external_of, with_external
from db import products
from db.tables import Product
from domain.errors import InvalidInput
from domain.money import Money
from domain.principal import Action, Principal, Side

router = APIRouter(prefix="/products", tags=["products"], route_class=TandemRoute)

Manager = Annotated[Principal, require(Action.MANAGE_PRODUCTS)]

_EXAMPLE = {
    "sku": "ERP-100",
    "name": "ERP suite, 100 users",
    "product_line": "ERP",
    "list_price": {"amount": "60000.00", "currency": "USD"},
    "cost": {"amount": "21000.00", "currency": "USD"},
    "active": True,
    "external": None,
}


class ProductCreate(Input):
    """Something to sell. List price and cost are those of one piece, in the same currency."""

    model_config = example_input(_EXAMPLE)

    sku: ShortText
    name: Name
    product_line: ShortText | None = None
    list_price: MoneyInput
    cost: MoneyInput | None = None
    active: bool = True
    external: External | None = None


class ProductUpdate(Input):
    """What is to change; what is left out stays. Lines that are in deals keep their price."""

    model_config = example_input({"list_price": {"amount": "64000.00", "currency": "USD"}})

    sku: ShortText = unset()
    name: Name = unset()
    product_line: ShortText | None = None
    list_price: MoneyInput = unset()
    cost: MoneyInput | None = None
    active: bool = unset()
    external: External | None = None


class ProductPublic(BaseModel):
    """Something that is sold. `cost` and `external` are the vendor's own: null for partners."""

    model_config = example(
        {"id": PRODUCT_ID, "version": 1, **_EXAMPLE, "created_at": WHEN, "updated_at": WHEN}
    )

    id: UUID
    version: int
    sku: str
    name: str
    product_line: str | None
    list_price: Money
    cost: Money | None
    active: bool = Field(description="False: it is not sold any more; lines that name it stay.")
    external: External | None
    created_at: datetime
    updated_at: datetime


@router.get("")
async def list_products(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    q: Search = "",
    product_line: Annotated[str | None, Query(max_length=100)] = None,
    active: bool | None = None,
    sort: Sort = "name",
) -> Listing[ProductPublic]:
    """The products; those that are not sold any more for the vendor only. `q` looks in name and SKU."""
    async with database.read() as session:
        found = await products.page(
            session, principal, paging, q=q, product_line=product_line, active=active, sort=sort
        )
    return listing(request, response, found, partial(show, principal=principal))


@router.post("", status_code=201)
async def create_product(
    body: ProductCreate,
    request: Request,
    response: Response,
    principal: Manager,
    minted: MintedDep,
    database: DatabaseDep,
) -> ProductPublic:
    """Add a product."""
    values = with_prices(with_external(dict(body)), None)
    async with database.transaction() as session:
        product = await products.add(session, Product(id=minted.resource_id, **values))
    answer_new(request, response, product.version, "read_product", product_id=product.id)
    return show(product, principal)


@router.get("/{product_id}")
async def read_product(
    product_id: UUID, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> ProductPublic:
    """One product."""
    async with database.read() as session:
        product = await products.get(session, principal, product_id)
    answer_version(response, product.version)
    return show(product, principal)


@router.patch("/{product_id}")
async def update_product(
    product_id: UUID,
    body: ProductUpdate,
    response: Response,
    principal: Manager,
    precondition: PreconditionDep,
    database: DatabaseDep,
) -> ProductPublic:
    """Change a product: from now on. What is in deals keeps the price at which it was added."""
    async with database.transaction() as session:
        product = await products.get(session, principal, product_id)
        precondition.check(product.version)
        values = with_prices(with_external(changes(body)), product)
        product = await products.change(session, product, values, datetime.now(UTC))
    answer_version(response, product.version)
    return show(product, principal)


def with_prices(values: dict[str, Any], before: Product | None) -> dict[str, Any]:
    """Input values with the two prices as the columns that keep them: amounts in one currency.

    Raises: InvalidInput, for a cost in another currency than the list price.
    """
    price: Money | None = values.pop("list_price", None)
    cost: Money | None = values.get("cost", cost_of(before) if before else None)
    currency = price.currency if price else before.currency if before else ""
    if cost is not None and cost.currency != currency:
        raise InvalidInput(
            f"The list price is in {currency}; give the cost in the same currency.", pointer="/cost"
        )
    if price is not None:
        values |= {"list_price": price.amount, "currency": price.currency}
    if "cost" in values:
        values["cost"] = cost.amount if cost else None
    return values


def show(product: Product, principal: Principal) -> ProductPublic:
    """A product as the API answers it: what the vendor pays for it is not for partners."""
    ours = principal.side is Side.VENDOR
    return ProductPublic(
        **product.model_dump(include=set(ProductPublic.model_fields) - {"list_price", "cost", "external"}),
        list_price=Money(amount=product.list_price, currency=product.currency),
        cost=cost_of(product) if ours else None,
        external=external_of(product) if ours else None,
    )
