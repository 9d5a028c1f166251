"""What several resources of the API show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.fields import Input, ShortText
from db.agenda import Due
from db.work import Waiting

PARTNER_ID = "0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10"
PRODUCT_ID = "0198c5a2-a3d2-7f10-8f3e-6b1d9c0a4e57"
USER_ID = "0198c5a2-8d11-7a05-8a0b-3a7f6a4e9b21"
ORGANISATION = {"id": PARTNER_ID, "name": "Aster Integrators"}
WHEN = "2027-01-11T09:30:00Z"


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of a model that is answered, with an example for the API description."""
    return ConfigDict(json_schema_extra={"examples": [value]})


def example_input(value: dict[str, Any]) -> ConfigDict:
    """The configuration of a request body, with an example for the API description."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [value]})


class OrganisationRef(BaseModel):
    """An organisation, by id and name."""

    model_config = example(ORGANISATION)

    id: UUID
    name: str


class PersonRef(BaseModel):
    """A person, by id and name."""

    model_config = example({"id": USER_ID, "name": "Sam Seller"})

    id: UUID
    name: str


def deal_of(row: Due | Waiting) -> dict[str, Any]:
    """What everything that is on a deal says of it."""
    return {
        "id": row.opportunity_id,
        "version": row.opportunity_version,
        "title": row.opportunity,
        "customer": row.customer,
        "owner": row.owner,
    }


class External(Input):
    """Where a thing came from: a system, and its id there. Unique for each kind of thing."""

    model_config = example_input({"source": "crm", "id": "0061x00000Bqk2A"})

    source: ShortText
    id: ShortText


def external_of(row: Any) -> External | None:
    """The external id of a row that has one."""
    if row.external_source is None or row.external_id is None:
        return None
    return External.model_construct(source=row.external_source, id=row.external_id)


def with_external(values: dict[str, Any]) -> dict[str, Any]:
    """Input values with `external` as the two columns that keep it; null clears them."""
    if "external" not in values:
        return values
    external: External | None = values["external"]
    rest = {name: value for name, value in values.items() if name != "external"}
    return {
        **rest,
        "external_source": external.source if external else None,
        "external_id": external.id if external else None,
    }
