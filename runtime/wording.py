"""What pydantic finds wrong, as a sentence that says what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_LONGEST_ECHO = 40

_PREDICATES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "set_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be names with values",
    "model_type": "must be names with values",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "needs at least {min_length} character(s)",
    "string_too_long": "may have at most {max_length} characters",
    "too_short": "needs at least {min_length} item(s)",
    "too_long": "may have at most {max_length} items",
    "url_type": "must be a web address",
    "url_parsing": "must be a web address such as https://example.com/deck",
    "url_scheme": "must be a web address that begins with https://",
}
"""What each kind of pydantic's findings asks for, to be said of a field."""

_TELLS_FOUND = re.compile(r".*_(type|parsing|from_float|than|equal)|enum|literal_error")
"""Findings where it helps to repeat what was written."""


def predicate(kind: str, context: Mapping[str, Any]) -> str | None:
    """What is asked for, as in “must be at least 1”; None for a finding that only its writer can word."""
    template = _PREDICATES.get(kind)
    if template is None:
        return None
    if kind == "string_too_short" and context["min_length"] == 1:
        return "must not be empty"
    asked = template.format(**context)
    return asked.replace("(s)", "" if " 1 " in asked else "s")


def in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One error of `ValidationError.errors()` in a file; `model` knows the names that may be meant."""
    kind, context, found = error["type"], error.get("ctx", {}), error["input"]
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"there is no such field{_meant(str(error['loc'][-1]), error['loc'][:-1], model)}"
        case "value_error":
            return str(context["error"])
        case "string_pattern_mismatch":
            return f"{_echo(found)} is not a key: use lower-case letters, digits and single hyphens"
    asked = predicate(kind, context)
    if asked is None:
        return error["msg"][:1].lower() + error["msg"][1:]
    return (
        f"{asked}, not {_echo(found)}{_hint(kind, found, context)}" if _TELLS_FOUND.fullmatch(kind) else asked
    )


def _hint(kind: str, found: Any, context: Mapping[str, Any]) -> str:
    """What the writer probably meant."""
    if kind == "string_type" and isinstance(found, bool | int | float):
        return "; put it in quotes"
    if kind == "enum":
        guess = difflib.get_close_matches(str(found), re.findall("'([^']+)'", context["expected"]), 1)
        return f"; did you mean {guess[0]}?" if guess else ""
    return ""


def _echo(found: Any) -> str:
    """What was written, short enough to be read in a message."""
    if found is None:
        return "empty"
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, dict):
        return "names with values"
    if isinstance(found, list):
        return "a list"
    text = str(found)
    return (
        f"'{text[:_LONGEST_ECHO]}{'…' if len(text) > _LONGEST_ECHO else ''}'"
        if isinstance(found, str)
        else text[:_LONGEST_ECHO]
    )


def _meant(name: str, at: tuple[str | int, ...], model: type[BaseModel]) -> str:
    """The fields that are there, the nearest first: what the writer probably meant."""
    known = list(_model_at(at, model).model_fields)
    guess = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {guess[0]}?" if guess else f"; there are {', '.join(known)}"


def _model_at(at: tuple[str | int, ...], model: type[BaseModel]) -> type[BaseModel]:
    """The model that describes this part: lists are looked through, by their item's model."""
    for part in at:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
