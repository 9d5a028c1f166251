"""Behaviour files for simulations: YAML read into `Behaviour`, checked against the playbook that is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domain.discount.policy import DiscountPolicyDefinition
from domain.playbook import PlaybookDefinition
from domain.simulation.behaviour import Behaviour, unknown_stages
from runtime.documents import InvalidDocument, parse, read_document, read_text
from runtime.holidays import NoHolidays, check_place

SCHEMA_ID = "https://tandem.example/schemas/behaviour.schema.json"


class InvalidBehaviour(InvalidDocument):
    """A behaviour file that nobody can be played by; `errors` says every reason and where."""

    title = "The behaviour is not valid"


def read_behaviour(
    path: Path, playbook: PlaybookDefinition | None = None, policy: DiscountPolicyDefinition | None = None
) -> Behaviour:
    """The behaviour in a file; with what is to be tried, it has to fit.

    Raises:
        InvalidBehaviour: with every problem found, each with its line and field.
    """
    try:
        document = read_document(read_text(path), str(path))
        behaviour = parse(document, Behaviour)
    except InvalidDocument as invalid:
        raise InvalidBehaviour(invalid.problems) from None
    found = [*unknown_stages(behaviour, playbook)] if playbook is not None else []
    if policy is not None and behaviour.amount.currency != policy.currency:
        what = f"the policy {policy.key} reckons in {policy.currency}, and a simulation has no exchange rates"
        found.append((("amount", "currency"), what))
    try:
        if behaviour.country is not None:
            check_place(behaviour.country, None)
    except NoHolidays as unknown:
        found.append((("country",), str(unknown)))
    if found:
        raise InvalidBehaviour([document.problem(at, detail) for at, detail in found])
    return behaviour


def behaviour_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a behaviour file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **Behaviour.model_json_schema(),
        "title": "Tandem behaviour",
    }
