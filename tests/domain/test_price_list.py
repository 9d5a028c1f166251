"""Price lists: what their columns may be called, and which rows can be taken."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.crm_import.catalogue import ListedProduct, columns_of, read_list
from domain.crm_import.records import Reject, Row


def taken(cells: dict[str, str], *more: dict[str, str]) -> list[ListedProduct]:
    return read(cells, *more)[0]


def read(*rows: dict[str, str]) -> tuple[list[ListedProduct], list[Reject]]:
    found = read_list(
        [Row("prices.csv", line, cells, tuple(cells.values())) for line, cells in enumerate(rows, start=2)],
        columns_of(rows[0]),
        currency="USD",
        currencies={"USD", "EUR"},
    )
    return found.products, found.rejects


def reason(**cells: str) -> str:
    _, rejects = read({"sku": "A", "name": "Anvil", "list_price": "5", **cells})
    return rejects[0].reason if rejects else ""


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        (["sku", "name", "list_price"], {"sku": "sku", "name": "name", "list_price": "list_price"}),
        (
            ["SKU", " Product name ", "Unit-Price"],
            {"sku": "SKU", "name": " Product name ", "list_price": "Unit-Price"},
        ),
        (
            ["product", "series", "sales_price"],
            {"name": "product", "product_line": "series", "list_price": "sales_price"},
        ),
        (["price", "list_price"], {"list_price": "list_price"}),
        (["colour"], {}),
    ],
)
def test_columns_are_found_by_what_they_are_called(headings, columns):
    assert columns_of(headings) == columns


def test_a_row_is_read_in_full():
    [product] = taken(
        {
            "sku": " A-1 ",
            "name": "Anvil,  large",
            "line": "Tools",
            "price": "1250,50",
            "cost": "800",
            "currency": "eur",
            "active": "No",
        }
    )
    assert (product.sku, product.name, product.product_line) == ("A-1", "Anvil, large", "Tools")
    assert (product.list_price, product.cost, product.currency) == (Decimal("1250.50"), Decimal(800), "EUR")
    assert not product.active
    assert product.said == {"sku", "name", "product_line", "list_price", "cost", "currency", "active"}


def test_what_a_list_does_not_say_is_as_usual():
    [product] = taken({"name": "Anvil", "price": "5"})
    assert (product.sku, product.currency, product.cost, product.active) == ("Anvil", "USD", None, True)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"name": ""}, "name is empty"),
        ({"sku": "x" * 101}, "sku is 101 characters long; at most 100 are taken"),
        ({"list_price": "1,250"}, "list_price “1,250” is not an amount such as 1250.50"),
        ({"list_price": "-1"}, "list_price “-1” is negative"),
        ({"cost": "free"}, "cost “free” is not an amount such as 1250.50"),
        ({"currency": "Taler"}, "currency “Taler” is no currency; write an ISO 4217 code such as USD"),
        ({"active": "perhaps"}, "active “perhaps” is neither yes nor no"),
    ],
)
def test_what_is_wrong_is_said(cells, words):
    assert reason(**cells) == words


def test_a_sku_is_taken_once():
    products, [twice] = read(
        {"sku": "a", "name": "Anvil", "price": "5"}, {"sku": "A", "name": "Axe", "price": "5"}
    )
    assert [product.name for product in products] == ["Anvil"]
    assert (twice.id, twice.reason) == ("A", "sku “A” is that of line 2 already")


def test_a_row_that_is_wrong_as_a_whole_is_not_read():
    row = Row("prices.csv", 2, {}, ("A",), "the row has 1 values, and the heading has 3 columns")
    found = read_list([row], columns_of(["name", "price"]), currency="USD", currencies={"USD"})
    assert [reject.reason for reject in found.rejects] == [row.wrong]
