"""What the demo sells: the price list and rates that ship; what is there already stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from db import products, rates
from db.session import Database
from db.tables import Product
from domain.rates import Rates
from ops.product_import import read_price_list, row_of

PRICE_LIST = Path(__file__).resolve().parent.parent / "examples" / "products.csv"
RATES = Rates(
    base="USD",
    rates={"EUR": "0.92", "GBP": "0.78", "SEK": "10.4", "CHF": "0.88", "CAD": "1.37", "JPY": "149.5"},
)
"""Made up, near to what was true some day."""


async def stock(database: Database) -> None:
    """Put the demo's products and rates there, where nobody has."""
    now = datetime.now(UTC)
    listed = read_price_list(PRICE_LIST, currency=RATES.base)
    async with database.transaction() as session:
        known = await products.by_sku(session, [product.sku for product in listed.products])
        new: list[Product] = [
            row_of(product, now) for product in listed.products if product.sku.lower() not in known
        ]
        await products.add_many(session, new)
        there = await rates.locked(session)
        if not there.version:
            await rates.replace(session, there, RATES, now)
