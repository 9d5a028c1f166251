"""Input types: what people and programs send, checked where it enters, each refusal a sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Self

from babel import Locale
from babel.numbers import get_territory_currencies
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    model_validator,
)

from domain.money import Money, rounded
from domain.text import turning

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 12, 31)
LONGEST_CUSTOM_TEXT = 1000
LONGEST_HOST = 253
LARGEST_CUSTOM_NUMBER = 2**53
"""The largest whole number that every JSON reader takes exactly."""

_CUSTOM_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LINE_BREAKS = {"\n", "\t"}
_BEGINS_WITH_DAY = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NOT_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
"""Codes of CLDR for groups of countries, parts of them and tests."""


class Input(BaseModel):
    """A request body: a field that we do not know is refused, not dropped."""

    model_config = ConfigDict(extra="forbid")


Sort = Literal["name", "-name", "created_at", "-created_at"]
"""How a list of reference data is sorted."""


def unset() -> Any:
    """The default of a field that a PATCH may leave out. Null is another thing: the type has to take it."""
    return Field(default_factory=lambda: None)


def changes(body: BaseModel) -> dict[str, Any]:
    """The fields that a PATCH brought."""
    return {name: getattr(body, name) for name in body.model_fields_set}


def _text(most: int, *, lines: bool = False, empty: bool = False) -> Callable[[str], str]:
    def clean(value: str) -> str:
        """Trimmed and composed (NFC). Emoji and every script pass, control characters do not."""
        value = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
        if len(value) > most:  # some letters are kept as two: composing makes a text longer
            raise ValueError(f"This may have at most {most} characters.")
        allowed = _LINE_BREAKS if lines else set()
        if any(unicodedata.category(each) == "Cc" and each not in allowed for each in value):
            raise ValueError("This text holds control characters; remove them.")
        if found := turning(value):
            raise ValueError(f"This text holds {found}, which turns the direction of reading; remove it.")
        if not empty and all(unicodedata.category(each)[0] in "ZC" for each in value):
            raise ValueError("This text may not be empty.")
        return value

    return clean


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_text(200))]
"""One line of at most 200 characters, trimmed."""
ShortText = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_text(100))]
"""One line of at most 100 characters, trimmed."""
Words = Annotated[str, Field(min_length=1, max_length=5000), AfterValidator(_text(5000, lines=True))]
"""Some lines of at most 5,000 characters, trimmed."""
Reason = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_text(1000, lines=True))]
"""Why somebody does something: some lines of at most 1,000 characters, trimmed."""
Search = Annotated[str, Field(max_length=200), AfterValidator(_text(400, empty=True))]
"""What somebody looks for; may be empty."""
Password = Annotated[str, Field(min_length=10, max_length=200)]
Email = Annotated[EmailStr, Field(max_length=254)]


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes in use somewhere today, after CLDR."""
    territories = Locale("en").territories
    return frozenset(code for each in territories for code in get_territory_currencies(str(each)))


@cache
def countries() -> frozenset[str]:
    """The ISO 3166-1 alpha-2 codes, after CLDR."""
    codes = map(str, Locale("en").territories)
    return frozenset(c for c in codes if len(c) == 2 and c.isalpha()) - _NOT_COUNTRIES  # noqa: PLR2004 - alpha-2


def _currency(value: str) -> str:
    if value not in currencies():
        raise ValueError("This is no currency; send an ISO 4217 code such as USD or EUR.")
    return value


def _country(value: str) -> str:
    if value not in countries():
        raise ValueError("This is no country; send an ISO 3166 code such as US or DE.")
    return value


def _domain(value: str) -> str:
    """A host name in lower case; other scripts as punycode (IDNA)."""
    sentence = "This is no domain; send it as in example.com, without https:// and without a path."
    try:
        host = value.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(sentence) from error
    labels = host.split(".")
    if len(host) > LONGEST_HOST or len(labels) < 2 or not all(map(_HOST_LABEL.fullmatch, labels)):  # noqa: PLR2004 - a.b
        raise ValueError(sentence)
    return host


def _is_written(value: Any) -> bool:
    """Numbers are none, also as texts: pydantic would take them for seconds since 1970."""
    return isinstance(value, date) or (isinstance(value, str) and _BEGINS_WITH_DAY.match(value) is not None)


def _written_date(value: Any) -> Any:
    if not _is_written(value):
        raise ValueError('This must be a date such as "2027-03-31".')
    return value


def _in_our_time(value: date) -> date:
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"This date must be between {EARLIEST} and {LATEST}.")
    return value


CurrencyCode = Annotated[str, Field(max_length=3, examples=["USD"]), AfterValidator(_currency)]
CountryCode = Annotated[str, Field(max_length=2, examples=["US"]), AfterValidator(_country)]
Domain = Annotated[str, Field(max_length=253, examples=["acme.example"]), AfterValidator(_domain)]
Day = Annotated[
    date,
    Field(examples=["2027-03-31"]),
    BeforeValidator(_written_date),
    AfterValidator(_in_our_time),
]
"""A calendar date from 2000 to 2100."""
AnyDay = Annotated[date, Field(examples=["2027-03-31"]), BeforeValidator(_written_date)]
"""A calendar date to compare with, in any year."""


def _written_instant(value: Any) -> Any:
    if not _is_written(value):
        raise ValueError('This must be an instant such as "2027-03-31T09:00:00Z".')
    return value


def _instant_in_our_time(value: AwareDatetime) -> AwareDatetime:
    _in_our_time(value.date())
    return value


Instant = Annotated[
    AwareDatetime,
    Field(examples=["2027-03-31T09:00:00Z"]),
    BeforeValidator(_written_instant),
    AfterValidator(_instant_in_our_time),
]
"""An instant with its time zone, from 2000 to 2100."""


class MoneyInput(Money):
    """An amount in a real currency: `{"amount": "250000.00", "currency": "USD"}`."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"amount": "250000.00", "currency": "USD"}]},
    )

    currency: CurrencyCode

    @model_validator(mode="after")
    def _payable(self) -> Self:
        if rounded(self.amount, self.currency) != self.amount:
            raise ValueError(f"{self.currency} has no cents; send a whole amount.")
        return self


def _custom_name(value: str) -> str:
    if not _CUSTOM_NAME.fullmatch(value):
        raise ValueError(
            "The name of a custom field is lower-case letters, digits and _, such as crm_segment."
        )
    return value


def _custom_value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(LONGEST_CUSTOM_TEXT, lines=True, empty=True)(value)
    number = isinstance(value, int | float) and abs(value) <= LARGEST_CUSTOM_NUMBER
    if value is not None and not number:
        raise ValueError("A custom field takes a text, a number up to 2^53, true, false or null.")
    return value


CustomValue = Annotated[bool | int | float | str | None, BeforeValidator(_custom_value)]
Custom = Annotated[
    dict[Annotated[str, AfterValidator(_custom_name)], CustomValue],
    Field(max_length=50, examples=[{"crm_segment": "enterprise", "employees": 1200}]),
]
"""Up to 50 fields of the vendor's own: lower-case names, with texts, numbers, true or false, or null."""
