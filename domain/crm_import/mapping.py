"""A mapping: how an export's files and words are to be read, as data.

Whoever moves from another CRM writes it once, in YAML. Column names and values
are those of the export; everything that they are mapped to is ours.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from domain.opportunity.state import LoseReason, Status
from domain.value import Input

Column = Annotated[str, Field(min_length=1, max_length=200, description="The heading of a column.")]
FileName = Annotated[
    str, Field(min_length=1, max_length=200, description="A CSV file in the folder of the export.")
]
Columns = Annotated[
    dict[str, Column], Field(description="Columns that are kept as they are, under the name given here.")
]
Aliases = dict[str, str]

_SOURCE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class PeopleFile(Input):
    """The sales people. Each becomes a person of the vendor, whether or not there are deals."""

    file: FileName
    name: Column
    custom: Columns = Field(default={})


class AccountsFile(Input):
    """The customers."""

    file: FileName
    name: Column
    industry: Column | None = None
    country: Column | None = None
    custom: Columns = Field(default={})


class ProductsFile(Input):
    """What is sold, with list prices. Kept with each deal, as long as there is no catalogue."""

    file: FileName
    name: Column
    list_price: Column | None = None
    custom: Columns = Field(default={})


class AmountIs(StrEnum):
    """Where a deal's amount comes from."""

    COLUMN = "column"
    LIST_PRICE = "list_price"


class StageMeaning(Input):
    """What a stage of the export means: live or closed, and where in the playbook."""

    status: Status = Field(description="open, won or lost.")
    stage: str | None = Field(default=None, description="A stage of the playbook; the first if not given.")
    amount: AmountIs = Field(
        default=AmountIs.COLUMN,
        description="column: the amount's column. list_price: the price of the deal's product.",
    )
    reason: LoseReason = Field(default=LoseReason.OTHER, description="Why such a deal was lost.")

    @field_validator("status")
    @classmethod
    def _open_won_or_lost(cls, status: Status) -> Status:
        if status not in (Status.OPEN, Status.WON, Status.LOST):
            msg = "must be open, won or lost"
            raise ValueError(msg)
        return status


class OpportunitiesFile(Input):
    """The deals. `id` is what makes a deal the same one when the export is imported again."""

    file: FileName
    id: Column
    stage: Column
    opened: Column
    closed: Column | None = Field(
        default=None, description="When a closed deal was closed; for a live one, when that is expected."
    )
    amount: Column | None = None
    owner: Column | None = None
    customer: Column | None = None
    product: Column | None = None
    custom: Columns = Field(default={})


class Values(Input):
    """Words that the export spells otherwise, without regard to upper and lower case."""

    products: Aliases = Field(default={})
    customers: Aliases = Field(default={})
    owners: Aliases = Field(default={})
    industries: Aliases = Field(default={})
    countries: Aliases = Field(default={})


class Blanks(Input):
    """What to take where the export says nothing."""

    customer: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="Name of the customer that nobody wrote down; without it the row is refused.",
    )
    opened: date | None = Field(
        default=None, description="Opening day where none is given; without it the row is refused."
    )


class ImportMapping(Input):
    """The whole mapping file."""

    source: str = Field(
        max_length=60,
        description="Name of the other system. Kept with every row: another name is another import.",
    )
    playbook: str = Field(description="Key of the playbook by which live deals go on.")
    currency: str = Field(description="ISO 4217 code of all amounts.")
    vendor: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="Vendor", description="Name of the vendor, where Tandem has none yet."
    )
    email_domain: str = Field(description="Where the addresses of the sales people are made up.")
    emails: dict[str, str] = Field(default={}, description="Addresses that are not made of the name.")
    title: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="{product} for {customer}",
        description="Title of a deal, with {id}, {product}, {customer} and {owner}.",
    )
    date_format: str = Field(default="%Y-%m-%d", min_length=2, description="As strptime has it.")
    decimal_mark: str = Field(default=".", description="The mark before the cents: . or ,")
    time_zone: str = Field(default="UTC", description="Where the export's days begin (IANA name).")
    opportunities: OpportunitiesFile
    people: PeopleFile | None = None
    accounts: AccountsFile | None = None
    products: ProductsFile | None = None
    values: Values = Values()
    stages: dict[str, StageMeaning] = Field(min_length=1, description="Each stage of the export.")
    blanks: Blanks = Blanks()

    @field_validator("source")
    @classmethod
    def _source(cls, source: str) -> str:
        if not _SOURCE.fullmatch(source):
            msg = "use lower-case letters, digits and single hyphens, such as old-crm"
            raise ValueError(msg)
        return source

    @field_validator("currency")
    @classmethod
    def _currency(cls, currency: str) -> str:
        if not re.fullmatch(r"[A-Z]{3}", currency):
            msg = "must be an ISO 4217 code such as USD"
            raise ValueError(msg)
        return currency

    @field_validator("email_domain")
    @classmethod
    def _domain(cls, domain: str) -> str:
        if not _DOMAIN.fullmatch(domain):
            msg = "must be a domain such as sales.example, in lower case"
            raise ValueError(msg)
        return domain

    @field_validator("decimal_mark")
    @classmethod
    def _mark(cls, mark: str) -> str:
        if mark not in {".", ","}:
            msg = "must be '.' or ','"
            raise ValueError(msg)
        return mark

    @field_validator("title")
    @classmethod
    def _title(cls, title: str) -> str:
        try:
            title.format(id="", product="", customer="", owner="")
        except (KeyError, IndexError, ValueError, AttributeError):
            msg = "may hold {id}, {product}, {customer} and {owner}, and no other braces"
            raise ValueError(msg) from None
        return title

    @model_validator(mode="after")
    def _amounts_have_a_source(self) -> Self:
        for name, meaning in self.stages.items():
            if meaning.amount is AmountIs.LIST_PRICE and not (self.products and self.products.list_price):
                msg = f"the amount of '{name}' is the list price, but products.list_price is not given"
                raise ValueError(msg)
            if meaning.status is not Status.OPEN and self.opportunities.closed is None:
                msg = f"'{name}' is {meaning.status.value}, but opportunities.closed is not given"
                raise ValueError(msg)
        return self
