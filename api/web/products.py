"""Products: what can be put into a deal, and for administrators how it is called and priced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.fields import Search, changes
from api.principal import PrincipalDep, require
from api.services import DatabaseDep
from api.v1.products import ProductCreate, ProductUpdate, show, with_prices
from api.v1.schemas import with_external
from api.web.choices import currencies
from api.web.fields import number_typed
from api.web.forms import Form, FormDep, Refusal, WebRoute, claimed, form_page, parse
from api.web.lists import PER_PAGE, Cursor, more_url
from api.web.rendering import go, page
from db import products
from db.pages import PageRequest
from db.session import Database
from db.tables import Product
from domain.errors import TandemError
from domain.money import Money
from domain.principal import Action, Principal, Side

router = APIRouter(prefix="/products", include_in_schema=False, route_class=WebRoute)

Manager = Annotated[Principal, require(Action.MANAGE_PRODUCTS)]


@router.get("")
async def read_all(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    q: Search = "",
    product_line: Annotated[str, Query(max_length=100)] = "",
    cursor: Cursor = None,
) -> Response:
    """The catalogue, by name."""
    async with database.read() as session:
        found = await products.page(
            session,
            principal,
            PageRequest(PER_PAGE, cursor),
            q=q or None,
            product_line=product_line or None,
        )
        known_lines = await products.lines(session, principal)
    return page(
        request,
        "products/index.html",
        principal=principal,
        section="products",
        products=[show(product, principal) for product in found.items],
        product_lines=known_lines,
        q=q,
        product_line=product_line,
        shows_cost=principal.side is Side.VENDOR,
        may_edit=principal.may(Action.MANAGE_PRODUCTS),
        more_url=more_url(request, found.next_cursor),
    )


@router.get("/new")
async def ask_for_new(request: Request, principal: Manager, database: DatabaseDep) -> Response:
    """The form for a new product."""
    return await _form(request, principal, database, {"active": "yes"})


@router.post("/new")
async def add(request: Request, principal: Manager, database: DatabaseDep, form: FormDep) -> Response:
    """Add a product, and show the catalogue."""
    try:
        body = parse(ProductCreate, _typed(form))
        values = with_prices(with_external(dict(body)), None)
        minted = await claimed(database, principal, form)
        async with database.transaction() as session:
            product = await products.add(session, Product(id=minted.resource_id, **values))
    except TandemError as error:
        return await _form(request, principal, database, form.values, refusal=Refusal.of(error))
    return go(request, "/products", f"{product.name} can be sold now.")


@router.get("/{product_id}/edit")
async def ask_for_changes(
    product_id: UUID, request: Request, principal: Manager, database: DatabaseDep
) -> Response:
    """The form of a product, as it is."""
    async with database.read() as session:
        product = await products.get(session, principal, product_id)
    values = {
        "sku": product.sku,
        "name": product.name,
        "product_line": product.product_line or "",
        "amount": str(product.list_price),
        "currency": product.currency,
        "cost": "" if product.cost is None else str(product.cost),
        "active": "yes" if product.active else "",
    }
    return await _form(request, principal, database, values, product)


@router.post("/{product_id}/edit")
async def change(
    product_id: UUID, request: Request, principal: Manager, database: DatabaseDep, form: FormDep
) -> Response:
    """Change a product; what is in deals keeps its price."""
    try:
        body = parse(ProductUpdate, _typed(form))
        async with database.transaction() as session:
            product = await products.get(session, principal, product_id)
            if form.precondition:
                form.precondition.check(product.version)
            values = with_prices(changes(body), product)
            product = await products.change(session, product, values, datetime.now(UTC))
    except TandemError as error:
        async with database.read() as session:  # what a refused transaction had read is gone with it
            product = await products.get(session, principal, product_id)
        return await _form(request, principal, database, form.values, product, Refusal.of(error))
    return go(request, "/products", f"{product.name} is saved.")


def _typed(form: Form) -> dict[str, Any]:
    """What the form holds as the API's inputs take it; None for a field that was left empty."""
    currency = form.get("currency") or "USD"
    price = number_typed(form, "amount").get("amount")
    cost = number_typed(form, "cost").get("cost")
    return {
        "sku": form.get("sku") or "",
        "name": form.get("name") or "",
        "product_line": form.get("product_line"),
        "list_price": {"amount": price or "", "currency": currency},
        "cost": {"amount": cost, "currency": currency} if cost else None,
        "active": form.get("active") is not None,
    }


async def _form(
    request: Request,
    principal: Principal,
    database: Database,
    values: Mapping[str, str],
    product: Product | None = None,
    refusal: Refusal | None = None,
) -> Response:
    async with database.read() as session:
        known_lines = await products.lines(session, principal)
    price = Money(amount=product.list_price, currency=product.currency) if product else None
    return form_page(
        request,
        "products/form.html",
        values,
        refusal,
        principal=principal,
        section="products",
        product=product,
        product_lines=known_lines,
        currencies=[code for code, _ in currencies(price)],
    )
