"""Products: what the vendor sells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import pages
from db.edits import updated
from db.pages import Page, PageRequest
from db.session import violated
from db.tables import Product
from domain.errors import AlreadyExists, NotFound
from domain.principal import Principal

PORTION = 500
"""Products that an import reads or writes in one statement."""


def visible_products(principal: Principal) -> ColumnElement[bool]:
    """The vendor sees every product; a partner sees what is sold."""
    return true() if principal.partner_id is None else col(Product.active).is_(True)


async def page(
    session: AsyncSession,
    principal: Principal,
    wanted: PageRequest,
    *,
    q: str | None = None,
    product_line: str | None = None,
    active: bool | None = None,
    sort: str = "name",
) -> Page[Product]:
    """The products that the principal may see, by name where `sort` says nothing else."""
    statement = (
        select(Product)
        .where(visible_products(principal))
        .order_by(*pages.ordering(sort, col(Product.name), col(Product.id)))
    )
    if q:
        statement = statement.where(
            or_(
                col(Product.name).icontains(q, autoescape=True),
                col(Product.sku).icontains(q, autoescape=True),
            )
        )
    if product_line is not None:
        statement = statement.where(col(Product.product_line) == product_line)
    if active is not None:
        statement = statement.where(col(Product.active) == active)
    found = await pages.fetch(session, statement, wanted, order=f"products:{sort}")
    return found.map(lambda row: row[0])


async def get(session: AsyncSession, principal: Principal, product_id: UUID) -> Product:
    """One product. Raises `NotFound`, also for a product that the principal does not see."""
    statement = select(Product).where(visible_products(principal), col(Product.id) == product_id)
    product = (await session.execute(statement)).scalar_one_or_none()
    if product is None:
        raise NotFound("There is no such product.")
    return product


async def get_by_sku(session: AsyncSession, principal: Principal, sku: str) -> Product:
    """One product by its SKU, in whatever case. Raises `NotFound`, also for one that is not seen."""
    statement = select(Product).where(
        visible_products(principal), func.lower(col(Product.sku)) == sku.lower()
    )
    product = (await session.execute(statement)).scalar_one_or_none()
    if product is None:
        raise NotFound(f"There is no product with the SKU {sku}.")
    return product


async def add(session: AsyncSession, product: Product) -> Product:
    """Keep a new product. The same id again (a repeated request) changes nothing.

    Raises `AlreadyExists` when the SKU or the external id is taken.
    """
    # Updating the id to itself changes nothing, and makes RETURNING answer the row that is there.
    statement = insert(Product).values(**product.model_dump())
    statement = statement.on_conflict_do_update(
        index_elements=[col(Product.id)], set_={"id": statement.excluded.id}
    )
    try:
        return (await session.execute(statement.returning(Product))).scalar_one()
    except IntegrityError as error:
        raise _taken(error) from error


async def change(session: AsyncSession, product: Product, changes: dict[str, Any], now: datetime) -> Product:
    """Change a product that was read before. Raises `StaleVersion` and `AlreadyExists`."""
    try:
        return await updated(session, product, changes, now)
    except IntegrityError as error:
        raise _taken(error) from error


def _taken(error: IntegrityError) -> Exception:
    match violated(error):
        case "uq_product_sku":
            return AlreadyExists("A product with this SKU is there already.")
        case "uq_product_external":
            return AlreadyExists("A product with this external id is there already.")
        case _:
            return error


async def lines(session: AsyncSession, principal: Principal) -> list[str]:
    """The product lines there are, in order."""
    line = col(Product.product_line)
    statement = select(line).where(visible_products(principal), line.is_not(None)).distinct().order_by(line)
    return [name for name in (await session.execute(statement)).scalars() if name is not None]


async def by_sku(session: AsyncSession, skus: Sequence[str]) -> dict[str, Product]:
    """The products with these SKUs, by SKU in lower case; for an import, never to answer a request."""
    found: dict[str, Product] = {}
    for start in range(0, len(skus), PORTION):
        wanted = [sku.lower() for sku in skus[start : start + PORTION]]
        statement = select(Product).where(func.lower(col(Product.sku)).in_(wanted))
        found |= {product.sku.lower(): product for product in (await session.execute(statement)).scalars()}
    return found


async def add_many(session: AsyncSession, products: Sequence[Product]) -> None:
    """Keep new products; one whose SKU somebody added meanwhile stays as it is."""
    for start in range(0, len(products), PORTION):
        rows = [product.model_dump() for product in products[start : start + PORTION]]
        await session.execute(insert(Product).on_conflict_do_nothing(), rows)


async def change_many(
    session: AsyncSession, changes: Sequence[tuple[Product, dict[str, Any]]], now: datetime
) -> None:
    """Change products that were read before; one that somebody changed meanwhile stays as it is."""
    table = Product.metadata.tables["product"]
    names = ("sku", "name", "product_line", "list_price", "cost", "currency", "active")
    statement = (
        update(table)
        .where(table.c.id == bindparam("known_id"), table.c.version == bindparam("known_version"))
        .values(
            **{name: bindparam(f"new_{name}") for name in names},
            version=table.c.version + 1,
            updated_at=now,
        )
    )
    for start in range(0, len(changes), PORTION):
        rows = [
            {f"new_{name}": wanted.get(name, getattr(product, name)) for name in names}
            | {"known_id": product.id, "known_version": product.version}
            for product, wanted in changes[start : start + PORTION]
        ]
        await session.execute(statement, rows)
