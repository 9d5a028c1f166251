"""What a request about a deal's lines names, looked up and put into commands."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db import discounts, products
from db.session import Database
from db.tables import Product
from domain.errors import InvalidInput, NoDiscountPolicy, NotFound
from domain.money import Money
from domain.opportunity.commands_lines import AddLine, ChangeLine, LineProduct
from domain.opportunity.discounts import bounding, giver
from domain.opportunity.state import Opportunity
from domain.principal import Principal


class LineWish(Protocol):
    """A product to put into a deal, by its id or its SKU."""

    @property
    def product_id(self) -> UUID | None: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def quantity(self) -> int: ...
    @property
    def discount_percent(self) -> Decimal: ...


async def adding(database: Database, principal: Principal, deal: Opportunity, wish: LineWish) -> AddLine:
    """The command that adds the line a body describes, at today's price of the catalogue.

    Raises:
        InvalidInput: no product is named, or one that is not there or not sold any more.
    """
    async with database.read() as session:
        product = await _product(session, principal, wish)
        standard = await standard_percent(session, principal, deal, product.product_line)
    return AddLine(
        product=LineProduct(
            id=product.id,
            sku=product.sku,
            name=product.name,
            product_line=product.product_line,
            list_price=Money(amount=product.list_price, currency=product.currency),
            cost=cost_of(product),
        ),
        quantity=wish.quantity,
        discount_percent=wish.discount_percent,
        standard_percent=standard,
    )


async def changing(
    database: Database, principal: Principal, deal: Opportunity, command: ChangeLine
) -> ChangeLine:
    """The command with what may be given off its line without asking."""
    line = deal.line(command.key)
    if line is None or command.discount_percent is None:
        return command  # for the deal to refuse, or nothing to look up
    async with database.read() as session:
        standard = await standard_percent(session, principal, deal, line.product_line)
    return command.but(standard_percent=standard)


def cost_of(product: Product) -> Money | None:
    """What one piece costs the vendor; None where nobody has said it."""
    return None if product.cost is None else Money(amount=product.cost, currency=product.currency)


async def _product(session: AsyncSession, principal: Principal, wish: LineWish) -> Product:
    if (wish.product_id is None) == (wish.sku is None):
        raise InvalidInput("Name the product by its product_id, or by its sku.", pointer="/product_id")
    named = "/sku" if wish.product_id is None else "/product_id"
    try:
        if wish.product_id is not None:
            product = await products.get(session, principal, wish.product_id)
        else:
            product = await products.get_by_sku(session, principal, wish.sku or "")
    except NotFound as missing:
        raise InvalidInput(missing.detail, pointer=named) from missing
    if not product.active:
        raise InvalidInput(f"{product.name} is not sold any more; choose another product.", pointer=named)
    return product


async def standard_percent(
    session: AsyncSession, principal: Principal, deal: Opportunity, product_line: str | None
) -> Decimal:
    """What may be given off a product of this line without asking; nothing, where no policy says it."""
    try:
        policy = await discounts.policy_of(session, deal)
    except NoDiscountPolicy:
        return Decimal(0)
    by = principal.actor
    tiers = await discounts.tiers_of(session, bounding(deal, giver(deal, None, by), by))
    return policy.standard.least(tiers, product_line)
