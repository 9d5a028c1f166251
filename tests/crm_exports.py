"""A small CRM export and its mapping, for what reads exports."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from domain.crm_import.mapping import ImportMapping
from domain.crm_import.parsers import World
from domain.crm_import.read import read_export
from domain.crm_import.records import Deal, Export, Row

WORLD = World(
    today=date(2027, 3, 1), zone=UTC, countries={"united states": "US", "philippines": "PH", "us": "US"}
)

MAPPING: dict[str, Any] = {
    "source": "old-crm",
    "playbook": "joint-software",
    "currency": "USD",
    "email_domain": "sales.example",
    "opportunities": {
        "file": "deals.csv",
        "id": "Id",
        "stage": "Stage",
        "opened": "Opened",
        "closed": "Closed",
        "amount": "Value",
        "owner": "Agent",
        "customer": "Account",
        "product": "Product",
        "custom": {"campaign": "Campaign"},
    },
    "people": {"file": "people.csv", "name": "Agent", "custom": {"region": "Region"}},
    "accounts": {
        "file": "accounts.csv",
        "name": "Account",
        "industry": "Sector",
        "country": "Country",
        "custom": {"founded": "Founded"},
    },
    "products": {
        "file": "products.csv",
        "name": "Product",
        "list_price": "Price",
        "custom": {"series": "Series"},
    },
    "values": {
        "products": {"WidgetX": "Widget X"},
        "owners": {"A. Winter": "Ada Winter"},
        "industries": {"technolgy": "technology"},
        "countries": {"Philipines": "Philippines"},
    },
    "stages": {
        "New": {"status": "open", "amount": "list_price"},
        "Working": {"status": "open", "stage": "prepare"},
        "Won": {"status": "won", "stage": "commit"},
        "Lost": {"status": "lost", "amount": "list_price", "reason": "price"},
    },
    "blanks": {"customer": "Unknown customer"},
}


def a_mapping(**changes: Any) -> ImportMapping:
    return ImportMapping.model_validate({**MAPPING, **changes})


def rows(sheet: str, *cells: dict[str, str]) -> list[Row]:
    return [Row(f"{sheet}.csv", line, cell, tuple(cell.values())) for line, cell in enumerate(cells, start=2)]


def a_deal(**cells: str) -> dict[str, str]:
    usual = {
        "Id": "D-1",
        "Stage": "Won",
        "Opened": "2026-01-10",
        "Closed": "2026-03-01",
        "Value": "1200.50",
        "Agent": "Ada Winter",
        "Account": "Acme",
        "Product": "Widget X",
        "Campaign": "",
    }
    return {**usual, **cells}


PEOPLE = ({"Agent": "Ada Winter", "Region": "West"}, {"Agent": "Bruno Sato", "Region": ""})
ACCOUNTS = ({"Account": "Acme", "Sector": "technolgy", "Country": "United States", "Founded": "1996"},)
PRODUCTS = (
    {"Product": "Widget X", "Price": "550", "Series": "W"},
    {"Product": "Gift", "Price": "", "Series": ""},
)


def read(*deals: dict[str, str], mapping: ImportMapping | None = None, **sheets: Any) -> Export:
    """The export with these deals and the usual people, accounts and products."""
    return read_export(
        mapping or a_mapping(),
        {
            "people": rows("people", *sheets.get("people", PEOPLE)),
            "accounts": rows("accounts", *sheets.get("accounts", ACCOUNTS)),
            "products": rows("products", *sheets.get("products", PRODUCTS)),
            "opportunities": rows("deals", *deals),
        },
        WORLD,
    )


def the_deal(*, mapping: ImportMapping | None = None, **cells: str) -> Deal:
    export = read(a_deal(**cells), mapping=mapping)
    assert export.rejects == []
    return export.deals[0]


def why_rejected(*, mapping: ImportMapping | None = None, **cells: str) -> str:
    export = read(a_deal(**cells), mapping=mapping)
    assert export.deals == []
    return export.rejects[0].reason
