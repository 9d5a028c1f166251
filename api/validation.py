"""Pydantic's findings in words that a person can act on, with JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runtime.wording import predicate

NO_ID = "This must be a UUID."
_SENTENCES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "string_unicode": "This text is not valid Unicode.",
    "uuid_parsing": NO_ID,
    "uuid_type": "This must be a UUID, written as a text.",
    "dict_type": "This must be a JSON object.",
    "model_type": "This must be a JSON object.",
    "model_attributes_type": "This must be a JSON object.",
    "decimal_parsing": 'This must be a decimal number, written as a text such as "250000.00".',
    "decimal_type": 'This must be a decimal number, written as a text such as "250000.00".',
    "decimal_max_digits": "This number has too many digits; at most {max_digits} are taken.",
    "decimal_max_places": "At most {decimal_places} digits may follow the decimal point.",
    "decimal_whole_digits": "This number is too large.",
    "date_parsing": 'This must be a date such as "2027-03-31".',
    "date_type": 'This must be a date such as "2027-03-31".',
    "date_from_datetime_parsing": 'This must be a date such as "2027-03-31".',
    "date_from_datetime_inexact": 'This must be a date such as "2027-03-31", without a time.',
    "datetime_parsing": 'This must be an instant such as "2027-03-31T09:00:00Z".',
    "datetime_from_date_parsing": 'This must be an instant such as "2027-03-31T09:00:00Z".',
    "datetime_type": 'This must be an instant such as "2027-03-31T09:00:00Z".',
    "timezone_aware": 'This instant needs its time zone, as in "2027-03-31T09:00:00Z".',
    "recursion_loop": "This is nested too deeply.",
}
"""What only programs are told, or are told in other words than who writes a file (see `predicate`)."""

MOST_EXPLAINED = 50
"""How many findings are told: a body of 50,000 unknown fields is not answered with megabytes."""
_PARAMETER_SOURCES = {"body", "query", "path", "header", "cookie"}


def explained(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Each finding as `{"pointer", "detail"}`. What was sent is not repeated: it may be secret, or huge."""
    return [
        {"pointer": pointer(error["loc"]), "detail": sentence(error)} for error in errors[:MOST_EXPLAINED]
    ]


def sentence(error: Any) -> str:
    """What is wrong, in one sentence."""
    context = error.get("ctx") or {}
    template = _SENTENCES.get(error["type"])
    if template is not None:
        return template.format(**context)
    if asked := predicate(error["type"], context):
        return f"This {asked}."
    # Our own validators raise ValueError with a sentence, which pydantic keeps as `error`.
    message = str(context.get("error", error["msg"])).rstrip(".")
    return f"{message[:1].upper()}{message[1:]}."


def pointer(location: Sequence[str | int]) -> str:
    """The JSON pointer to a location in the body; a parameter is pointed to by its name."""
    parts = list(location)
    if parts and parts[0] in _PARAMETER_SOURCES:
        parts = parts[1:]
    if parts and parts[-1] == "[key]":  # pydantic's way to say: the name itself, not what is under it
        parts = parts[:-1]
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
