"""Reading a price list: one product a row, under headings as price lists have them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from domain.crm_import import values
from domain.crm_import.fields import Fields
from domain.crm_import.records import Reject, Row
from domain.crm_import.values import BadValue, echo

HEADINGS = {
    "sku": ("sku", "product_code", "code", "item"),
    "name": ("name", "product", "product_name", "title"),
    "product_line": ("product_line", "line", "family", "series", "category"),
    "list_price": ("list_price", "price", "unit_price", "sales_price"),
    "cost": ("cost", "unit_cost", "standard_cost"),
    "currency": ("currency",),
    "active": ("active",),
}
"""What the columns may be called, in whatever case, with spaces for underscores; the first found counts."""
NEEDED = ("name", "list_price")

_MAX_SHORT = 100
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})
_WITH_COMMA = re.compile(r"[0-9]+,[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A row that can be taken. `said` are the fields that the list has a column for."""

    sku: str
    name: str
    list_price: Decimal
    currency: str
    product_line: str | None = None
    cost: Decimal | None = None
    active: bool = True
    said: frozenset[str] = frozenset()


@dataclass(slots=True)
class PriceList:
    """All that was read: every row is in one of the two."""

    products: list[ListedProduct] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def columns_of(headings: Collection[str]) -> dict[str, str]:
    """The columns of a price list by what they hold; what it has no column for is left out."""
    plain = {_plain(heading): heading for heading in headings}
    found = {
        name: next((plain[other] for other in others if other in plain), None)
        for name, others in HEADINGS.items()
    }
    return {name: column for name, column in found.items() if column is not None}


def _plain(heading: str) -> str:
    return re.sub(r"[\s_-]+", "_", heading.strip().casefold())


def read_list(
    rows: Iterable[Row], columns: dict[str, str], *, currency: str, currencies: Collection[str]
) -> PriceList:
    """The products of a list. Without a column for them, the name is the SKU, and `currency` the currency."""
    reader = _Reader(columns, currency, currencies)
    found = PriceList()
    for row in rows:
        taken = reader.read(row)
        if isinstance(taken, Reject):
            found.rejects.append(taken)
        else:
            found.products.append(taken)
    return found


class _Reader:
    """Reads row by row, and knows the SKUs of those before."""

    def __init__(self, columns: dict[str, str], currency: str, currencies: Collection[str]) -> None:
        self._columns = columns
        self._currency = currency
        self._currencies = currencies
        self._lines: dict[str, int] = {}

    def read(self, row: Row) -> ListedProduct | Reject:
        """The product in a row, or why it is not taken."""
        if row.wrong is not None:
            return Reject(row, "", (), row.wrong)
        fields, columns = Fields(row), self._columns
        name = fields.required(columns["name"], values.name)
        sku = fields.required(columns["sku"], _short) if "sku" in columns else name
        price = fields.required(columns["list_price"], _price)
        line = fields.optional(columns.get("product_line"), _short)
        cost = fields.optional(columns.get("cost"), _price)
        currency = fields.optional(columns.get("currency"), self._known_currency) or self._currency
        active = fields.optional(columns.get("active"), _yes_or_no)
        if sku is not None:
            self._once(fields, sku)
        if fields.problems or sku is None or name is None or price is None:
            return fields.reject(sku)
        said = frozenset(columns)
        return ListedProduct(sku, name, price, currency, line, cost, active is not False, said)

    def _once(self, fields: Fields, sku: str) -> None:
        first = self._lines.setdefault(sku.lower(), fields.row.line)
        if first != fields.row.line:
            column = self._columns.get("sku", self._columns["name"])
            fields.refuse(column, f"{echo(sku)} is that of line {first} already")

    def _known_currency(self, text: str) -> str:
        code = values.clean(text).upper()
        if code not in self._currencies:
            raise BadValue(f"{echo(text)} is no currency; write an ISO 4217 code such as USD")
        return code


def _short(text: str) -> str:
    tidy = values.name(text)
    if len(tidy) > _MAX_SHORT:
        raise BadValue(f"is {len(tidy):,} characters long; at most {_MAX_SHORT} are taken")
    return tidy


def _price(text: str) -> Decimal:
    """1250.50, and 1250,50 as well: three digits after a comma would be thousands, and are refused."""
    return values.amount(text, "," if _WITH_COMMA.fullmatch(text.strip()) else ".")


def _yes_or_no(text: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise BadValue(f"{echo(text)} is neither yes nor no")
    return word in _YES
