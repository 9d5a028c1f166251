"""A whole export, from rows to records: nothing is dropped, every row is a record or a reject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from domain.crm_import.deals import Deals
from domain.crm_import.mapping import ImportMapping
from domain.crm_import.parsers import Parsers, World
from domain.crm_import.records import Export, Reject, Row
from domain.crm_import.reference import Reference

SHEETS = ("people", "accounts", "products", "opportunities")
"""The parts of an export, in the order in which they are read: deals speak of all the others."""


def read_export(mapping: ImportMapping, sheets: Mapping[str, Iterable[Row]], world: World) -> Export:
    """Everything in an export. `sheets` holds the rows of each part in `SHEETS` that the mapping has."""
    export = Export()
    parsers = Parsers(mapping, world)
    reference = Reference(mapping, parsers)
    deals = Deals(mapping, parsers, reference)

    def deal(row: Row) -> Reject | None:
        read = deals.read(row)
        if isinstance(read, Reject):
            return read
        export.deals.append(read)
        return None

    readers: dict[str, Callable[[Row], Reject | None]] = {"opportunities": deal}
    if people := mapping.people:
        readers["people"] = lambda row: reference.person(people, row)
    if accounts := mapping.accounts:
        readers["accounts"] = lambda row: reference.account(accounts, row)
    if products := mapping.products:
        readers["products"] = lambda row: reference.product(products, row)
    for sheet in SHEETS:
        if sheet in readers:
            export.rows[sheet] = _read_sheet(sheets.get(sheet, ()), readers[sheet], export.rejects)
    export.people = reference.people.all()
    export.accounts = reference.accounts.all()
    export.products = reference.products.all()
    return export


def _read_sheet(rows: Iterable[Row], read: Callable[[Row], Reject | None], rejects: list[Reject]) -> int:
    """Read every row; answers how many there were."""
    count = 0
    for row in rows:
        count += 1
        reject = Reject(row, "", (), row.wrong) if row.wrong else read(row)
        if reject is not None:
            rejects.append(reject)
    return count
