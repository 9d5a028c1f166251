"""What may be asked about the lines of a deal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import SerializerFunctionWrapHandler, model_serializer

from domain.money import Money
from domain.opportunity.lines import Quantity
from domain.percent import Percent
from domain.value import Input


class LineProduct(Input):
    """A product as the catalogue has it at the moment."""

    id: UUID
    sku: str
    name: str
    product_line: str | None = None
    list_price: Money
    cost: Money | None = None


class AddLine(Input):
    """Put a product into the deal. `standard_percent` is what may be given off without asking."""

    kind: Literal["add_line"] = "add_line"
    product: LineProduct
    quantity: Quantity = 1
    discount_percent: Percent = Decimal(0)
    standard_percent: Percent = Decimal(0)


class ChangeLine(Input):
    """Change a line: only what is given. A cost of None says that the cost is not known.

    The cost is that of one piece. `standard_percent` is what may be given off without asking.
    """

    kind: Literal["change_line"] = "change_line"
    key: str
    quantity: Quantity | None = None
    discount_percent: Percent | None = None
    cost: Money | None = None
    standard_percent: Percent = Decimal(0)

    @model_serializer(mode="wrap")
    def _as_given(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What was left out stays left out on its way to the workflow: null would clear the cost."""
        given = self.model_fields_set | {"kind"}
        return {field: value for field, value in write(self).items() if field in given}


class RemoveLine(Input):
    kind: Literal["remove_line"] = "remove_line"
    key: str
