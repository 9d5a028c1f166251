"""The deals of an export, each row as the opportunity that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.crm_import import values
from domain.crm_import.fields import Fields
from domain.crm_import.ids import imported_id
from domain.crm_import.mapping import AmountIs, ImportMapping, StageMeaning
from domain.crm_import.parsers import Parsers
from domain.crm_import.records import Account, Deal, Person, Product, Reject, Row
from domain.crm_import.reference import Reference
from domain.crm_import.values import echo
from domain.opportunity.state import Status


@dataclass(slots=True)
class _Found:
    """What the cells of one deal say."""

    key: str | None
    meaning: StageMeaning | None
    account: Account | None
    owner: Person | None
    product: Product | None
    opened: date | None
    closed: date | None = None
    amount: Decimal | None = None


class Deals:
    """Reads deals one after the other; an id is taken once."""

    def __init__(self, mapping: ImportMapping, parsers: Parsers, reference: Reference) -> None:
        self._mapping = mapping
        self._part = mapping.opportunities
        self._parse = parsers
        self._reference = reference
        self._lines: dict[str, int] = {}

    def read(self, row: Row) -> Deal | Reject:
        """The deal of the row, or all that is wrong with it."""
        part, fields = self._part, Fields(row)
        found = _Found(
            key=self._key(fields),
            meaning=fields.required(part.stage, self._parse.meaning),
            account=fields.optional(part.customer, self._reference.accounts.find),
            owner=fields.optional(part.owner, self._reference.people.find),
            product=fields.optional(part.product, self._reference.products.find),
            opened=self._opened(fields),
        )
        found.closed = self._closed(fields, found)
        found.amount = self._amount(fields, found)
        if part.customer and fields.is_blank(part.customer) and self._mapping.blanks.customer is None:
            fields.refuse(part.customer, "is empty, and the mapping has no blanks.customer")
        custom = self._custom(fields, found)
        if fields.problems or found.key is None or found.meaning is None or found.opened is None:
            return fields.reject(found.key)
        return self._deal(row, found, custom, key=found.key, meaning=found.meaning, opened=found.opened)

    def _deal(
        self,
        row: Row,
        found: _Found,
        custom: dict[str, str],
        *,
        key: str,
        meaning: StageMeaning,
        opened: date,
    ) -> Deal:
        customer = (
            found.account.name if found.account else self._mapping.blanks.customer or "Unknown customer"
        )
        opened_at = self._parse.begin(opened)
        closed = found.closed if meaning.status is not Status.OPEN else None
        title = self._mapping.title.format(
            id=key,
            product=found.product.name if found.product else "Opportunity",
            customer=customer,
            owner=found.owner.name if found.owner else "nobody",
        )
        return Deal(
            row=row,
            id=imported_id(opened_at, self._mapping.source, "opportunity", key),
            external_id=key,
            title=values.shortened(title),
            meaning=meaning,
            opened_at=opened_at,
            account=found.account,
            customer=customer,
            owner=found.owner,
            closed_at=self._parse.begin(closed) if closed else None,
            expected_close=found.closed,
            amount=found.amount,
            custom=custom,
        )

    def _key(self, fields: Fields) -> str | None:
        key = fields.required(self._part.id, values.name)
        first = self._lines.setdefault(key, fields.row.line) if key else fields.row.line
        if first != fields.row.line:
            fields.refuse(self._part.id, f"{echo(key or '')} is there already on line {first}")
        return key

    def _opened(self, fields: Fields) -> date | None:
        if fields.is_blank(self._part.opened) and self._mapping.blanks.opened is not None:
            return self._mapping.blanks.opened
        return fields.required(self._part.opened, self._parse.past_day)

    def _closed(self, fields: Fields, found: _Found) -> date | None:
        """When a closed deal ended, or a live one is expected to."""
        column = self._part.closed
        if column is None or found.meaning is None:
            return None
        if found.meaning.status is Status.OPEN:
            return fields.optional(column, self._parse.any_day)
        closed = fields.required(column, self._parse.past_day)
        if closed and found.opened and closed < found.opened:
            fields.refuse(column, f"{closed} is before the deal was opened ({found.opened})")
        return closed

    def _amount(self, fields: Fields, found: _Found) -> Decimal | None:
        given = fields.optional(self._part.amount, self._parse.amount)
        if found.meaning is None or found.meaning.amount is AmountIs.COLUMN:
            return given
        if found.product is not None and found.product.list_price is not None:
            return found.product.list_price
        column = self._part.product or self._part.stage
        if found.product is not None or fields.is_blank(self._part.product):
            fields.refuse(column, "gives no list price to take the amount from")
        return None

    def _custom(self, fields: Fields, found: _Found) -> dict[str, str]:
        """What has no place of its own yet: the product with its price, and the owner's team."""
        custom = fields.custom(self._part.custom)
        if found.owner:
            custom |= found.owner.custom
        if found.product:
            custom |= found.product.custom | {"product": found.product.name}
            if found.product.list_price is not None:
                custom["list_price"] = str(found.product.list_price)
        return custom
