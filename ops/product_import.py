"""`tandem import FILE --format products`: a price list becomes the catalogue, however often it is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from api.fields import currencies
from db import products, rates
from db.session import Database
from db.tables import Product
from domain.crm_import.catalogue import NEEDED, ListedProduct, PriceList, columns_of, read_list
from domain.crm_import.records import Row
from ops import crm_files
from ops.crm_files import InvalidExport
from runtime.errors import CannotStart
from runtime.ids import new_id
from runtime.settings import Settings


@dataclass(slots=True)
class ProductReport:
    """What became of the rows of a price list; for a dry run, what would have."""

    dry_run: bool
    rows: int = 0
    imported: int = 0
    changed: int = 0
    already_there: int = 0
    rejected: int = 0
    rejects_file: Path | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"rejects_file": str(self.rejects_file) if self.rejects_file else None}

    def sentences(self) -> list[str]:
        """The report for people."""
        would = "would be " if self.dry_run else ""
        counts = (
            f"{self.rows:,} rows: {self.imported:,} {would}new, {self.changed:,} {would}changed, "
            f"{self.already_there:,} there already, {self.rejected:,} rejected."
        )
        told = [counts]
        if self.rejects_file:
            told.append(f"Why rows are rejected is in {self.rejects_file}; correct them and run it again.")
        if self.dry_run:
            told.append("Nothing was changed. Without --dry-run it would be.")
        return told


async def import_and_show(
    settings: Settings, source: Path, *, dry_run: bool, rejects: Path, as_json: bool
) -> None:
    """Import, and print what was done in words or as JSON."""
    report = await run_import(settings, source, dry_run=dry_run, rejects=rejects)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    for sentence in [] if as_json else report.sentences():
        typer.echo(sentence)


async def run_import(settings: Settings, source: Path, *, dry_run: bool, rejects: Path) -> ProductReport:
    """Take a price list into the catalogue, or say what that would do.

    What is new is added. What is there by its SKU takes the values of the columns that the list
    has; the others stay. Lines in deals keep the price at which they were added.

    Raises:
        InvalidExport: the file cannot be read as it is; nothing was changed.
        CannotStart, Unavailable: there is no database, or it does not answer.
    """
    began = monotonic()
    rows = _rows(source)
    if settings.database_url is None:
        raise CannotStart("No database is known: start one with `tandem up`, or set TANDEM_DATABASE_URL.")
    database = Database(settings.database_url)
    try:
        async with database.transaction() as session:
            listed = _read(source, rows, (await rates.read(session)).base)
            report = await _keep(session, listed, dry_run=dry_run)
    finally:
        await database.close()
    report.rows, report.rejected = len(rows), len(listed.rejects)
    if listed.rejects:
        crm_files.write_rejects(rejects, listed.rejects)
        report.rejects_file = rejects
    report.seconds = round(monotonic() - began, 2)
    return report


def read_price_list(source: Path, *, currency: str) -> PriceList:
    """The products of a file; `currency` is that of prices where the list has no column for it.

    Raises:
        InvalidExport: the file cannot be read as it is.
    """
    return _read(source, _rows(source), currency)


def _rows(source: Path) -> list[Row]:
    if not source.is_file():
        raise InvalidExport(f"There is no file {source}. Give the CSV file of the products.")
    return crm_files.read_sheet(source, ())


def _read(source: Path, rows: Sequence[Row], currency: str) -> PriceList:
    headings = dict.fromkeys(heading for row in rows for heading in row.cells)
    columns = columns_of(headings)
    missing = [name for name in NEEDED if name not in columns]
    if rows and missing:
        raise InvalidExport(
            f"{source.name} has no column {' and none '.join(missing)}. It has: {', '.join(headings)}. "
            "Correct the heading; docs/products.md says what columns may be called."
        )
    return read_list(rows, columns, currency=currency, currencies=currencies())


def row_of(product: ListedProduct, now: datetime) -> Product:
    """A listed product as a new row of the catalogue."""
    return Product(id=new_id(), created_at=now, updated_at=now, **_values(product))


async def _keep(session: AsyncSession, listed: PriceList, *, dry_run: bool) -> ProductReport:
    """Add what is new, and change what differs; for a dry run, only count."""
    now = datetime.now(UTC)
    there = await products.by_sku(session, [product.sku for product in listed.products])
    new: list[Product] = []
    changed: list[tuple[Product, dict[str, Any]]] = []
    for product in listed.products:
        known = there.get(product.sku.lower())
        if known is None:
            new.append(row_of(product, now))
            continue
        wanted = _said(product, known)
        if any(getattr(known, name) != value for name, value in wanted.items()):
            changed.append((known, wanted))
    if not dry_run:
        await products.add_many(session, new)
        await products.change_many(session, changed, now)
    same = len(listed.products) - len(new) - len(changed)
    return ProductReport(dry_run, imported=len(new), changed=len(changed), already_there=same)


def _said(product: ListedProduct, known: Product) -> dict[str, Any]:
    """What the list says about a product that is there. A cost in another currency is not known any more."""
    wanted = {name: value for name, value in _values(product).items() if name in product.said}
    if wanted.get("currency", known.currency) != known.currency:
        wanted.setdefault("cost", None)
    return wanted


def _values(product: ListedProduct) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name,
        "product_line": product.product_line,
        "list_price": product.list_price,
        "cost": product.cost,
        "currency": product.currency,
        "active": product.active,
    }
