"""Values that are made and changed without being checked are as pydantic's own."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from domain.made import changed, made
from domain.opportunity.commands_lines import ChangeLine
from domain.opportunity.state import DealPartner, Person
from domain.task_template import PartnerRole


def test_what_is_made_is_what_pydantic_makes():
    values = {"id": uuid4(), "name": "Aster Integrators", "role": PartnerRole.RESELLER}
    assert made(DealPartner, **values) == DealPartner(**values)
    assert made(DealPartner, **values).model_dump_json() == DealPartner(**values).model_dump_json()
    assert made(DealPartner, **values).model_fields_set == set(DealPartner.model_fields)


def test_what_is_changed_is_a_copy():
    one = Person(id=uuid4(), name="Ada")
    other = changed(one, {"name": "Bo"})
    assert (one.name, other.name, other.id) == ("Ada", "Bo", one.id)
    assert other == one.model_copy(update={"name": "Bo"})


def test_what_is_changed_counts_as_given():
    """A command travels with the fields that were given: with those that were looked up as well."""
    asked = ChangeLine(key="1", discount_percent=Decimal(30))
    looked_up = asked.but(standard_percent=Decimal(12))
    assert looked_up.model_dump(mode="json") == {
        "kind": "change_line",
        "key": "1",
        "discount_percent": "30",
        "standard_percent": "12",
    }
    assert "standard_percent" not in asked.model_fields_set
