"""The lines of an opportunity: what is sold, at which price."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Response, status
from pydantic import BaseModel, Field

from api import line_intake
from api.commands import CommandsDep
from api.etag import answer_version
from api.fields import Input, MoneyInput, ShortText, changes, unset
from api.paging import Listing
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.changing import ChangeDep
from api.v1.opportunity_shapes import OpportunityOut
from api.v1.schemas import PRODUCT_ID, example, example_input
from domain.money import Money
from domain.opportunity.commands_lines import ChangeLine, RemoveLine
from domain.opportunity.lines import DealLine, LineTotals, Quantity
from domain.percent import Percent
from domain.principal import Principal, Side

router = APIRouter(
    prefix="/opportunities/{opportunity_id}/lines", tags=["opportunities"], route_class=TandemRoute
)

LineKey = Annotated[str, Path(max_length=60, description="The line's key.")]

_LINE = {
    "key": "line-3",
    "product_id": PRODUCT_ID,
    "sku": "ERP-100",
    "name": "ERP suite, 100 users",
    "product_line": "ERP",
    "quantity": 5,
    "list_price": {"amount": "60000.00", "currency": "USD"},
    "discount_percent": "15",
    "net_price": {"amount": "255000.00", "currency": "USD"},
    "cost": {"amount": "21000.00", "currency": "USD"},
    "margin": {"amount": "150000.00", "currency": "USD"},
}


class LineInput(Input):
    """A product to add, by its id or its SKU, at the list price of today."""

    model_config = example_input({"sku": "ERP-100", "quantity": 5, "discount_percent": "15"})

    product_id: UUID | None = None
    sku: ShortText | None = None
    quantity: Quantity = 1
    discount_percent: Percent = Decimal(0)


class LinePatch(Input):
    """What is to change. The cost is for the vendor's deal desk, finance and directors to say."""

    model_config = example_input({"quantity": 8})

    quantity: Quantity = unset()
    discount_percent: Percent = unset()
    cost: MoneyInput | None = None


class Margin(BaseModel):
    """What is left to the vendor: below 0 where something is sold under cost."""

    model_config = example({"amount": "150000.00", "currency": "USD"})

    amount: str
    currency: str

    @classmethod
    def of(cls, amount: Decimal | None, currency: str) -> Self | None:
        return None if amount is None else cls(amount=f"{amount:.2f}", currency=currency)


class LineOut(BaseModel):
    """A line. `cost` (of one piece) and `margin` (of all) are the vendor's own: null for partners."""

    model_config = example(_LINE)

    key: str
    product_id: UUID
    sku: str
    name: str
    product_line: str | None
    quantity: int
    list_price: Money
    discount_percent: Percent
    net_price: Money = Field(description="Of all pieces: quantity × list price, less the discount.")
    cost: Money | None
    margin: Margin | None

    @classmethod
    def of(cls, line: DealLine, principal: Principal) -> Self:
        ours = principal.side is Side.VENDOR
        return cls(
            **dict(line.without_cost),
            net_price=line.net_price,
            cost=line.cost if ours else None,
            margin=Margin.of(line.margin, line.currency) if ours else None,
        )


class TotalsOut(BaseModel):
    """What the lines come to. `net_price` is the deal's amount; the margin is the vendor's own."""

    model_config = example(
        {
            "list_price": {"amount": "300000.00", "currency": "USD"},
            "discount_percent": "15.00",
            "net_price": {"amount": "255000.00", "currency": "USD"},
            "margin": {"amount": "150000.00", "currency": "USD"},
            "margin_percent": "58.8",
        }
    )

    list_price: Money
    discount_percent: str
    net_price: Money
    margin: Margin | None
    margin_percent: str | None

    @classmethod
    def of(cls, totals: LineTotals, principal: Principal) -> Self:
        ours = principal.side is Side.VENDOR
        percent = totals.margin_percent if ours else None
        return cls(
            list_price=Money(amount=totals.list_amount, currency=totals.currency),
            discount_percent=str(totals.discount_percent),
            net_price=totals.net_price,
            margin=Margin.of(totals.margin, totals.currency) if ours else None,
            margin_percent=None if percent is None else str(percent),
        )


class LineListing(Listing[LineOut]):
    """All lines of a deal, in the order in which they were added; `totals` is null without any."""

    totals: TotalsOut | None


@router.get("")
async def list_lines(
    opportunity_id: UUID, response: Response, principal: PrincipalDep, commands: CommandsDep
) -> LineListing:
    """What the deal sells, and what it comes to."""
    deal = await commands.read(opportunity_id)
    answer_version(response, deal.version)
    totals = deal.line_totals
    return LineListing(
        items=[LineOut.of(line, principal) for line in deal.lines],
        totals=TotalsOut.of(totals, principal) if totals else None,
    )


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_line(
    body: LineInput, principal: PrincipalDep, database: DatabaseDep, change: ChangeDep
) -> OpportunityOut:
    """Add a product. From the first line on, the deal's amount is the sum of its lines."""
    deal = await change.deal()
    command = await line_intake.adding(database, principal, deal, body)
    return await change(command)


@router.patch("/{key}")
async def change_line(
    key: LineKey, body: LinePatch, principal: PrincipalDep, database: DatabaseDep, change: ChangeDep
) -> OpportunityOut:
    """Change quantity or discount. More than may be given without asking is asked for with /discounts."""
    deal = await change.deal()
    command = await line_intake.changing(database, principal, deal, ChangeLine(key=key, **changes(body)))
    return await change(command)


@router.delete("/{key}")
async def remove_line(key: LineKey, change: ChangeDep) -> OpportunityOut:
    """Take a product out of the deal. Without its last line the deal keeps the amount it had."""
    return await change(RemoveLine(key=key))
