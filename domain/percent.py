"""Percentages: decimal numbers from 0 to 100, never a float."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from domain.money import WRITTEN, written

HUNDRED = Decimal(100)


@lru_cache(maxsize=2048)  # the same few, in every sentence about a request
def shown(percent: Decimal) -> str:
    """`27.5`, `15`, `0`: no zeros at the end, and never an exponent."""
    return f"{percent.normalize() + 0:f}"


def _plain(percent: Decimal) -> Decimal:
    return Decimal(shown(percent))


Percent = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=5, decimal_places=2, allow_inf_nan=False, examples=["27.5"]),
    BeforeValidator(
        written('This must be a percentage such as "27.5": digits, and a point before the fraction.'),
        json_schema_input_type=Annotated[str, Field(pattern=WRITTEN)] | Annotated[float, Field(ge=0, le=100)],
    ),
    AfterValidator(_plain),
    PlainSerializer(str, return_type=str),
]
"""0 to 100 with at most two digits after the point; JSON carries it as a string without zeros at the end."""
