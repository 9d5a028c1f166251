"""What pydantic finds wrong, as a sentence that says what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_LONGEST_ECHO = 40

_SENTENCES = {
    "missing": "is missing",
    "greater_than_equal": "must be at least {ge}, not {found}",
    "less_than_equal": "must be at most {le}, not {found}",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length:,} characters long",
    "too_short": "needs at least {min_length} entry",
    "too_long": "may have at most {max_length} entries",
    "value_error": "{error}",
    "url_parsing": "must be a web address such as https://example.com/deck, not {found}",
    "url_scheme": "must be a web address that begins with https://",
    "string_pattern_mismatch": "{found} is not a key: use lower-case letters, digits and single hyphens",
}


def in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One error of `ValidationError.errors()`; `model` knows the names that may be meant."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no such field{_meant(str(error['loc'][-1]), error['loc'][:-1], model)}"
    if kind.endswith("_type") or kind in ("int_from_float", "enum"):
        return _wrong_type(kind, error["input"], context)
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context, found=_echo(error["input"]))
    return error["msg"][:1].lower() + error["msg"][1:]


def _wrong_type(kind: str, found: Any, context: dict[str, Any]) -> str:
    if kind == "enum":
        known = re.findall("'([^']+)'", context["expected"])
        guess = difflib.get_close_matches(str(found), known, 1)
        instead = f"; did you mean {guess[0]}?" if guess else ""
        return f"must be {context['expected']}, not {_echo(found)}{instead}"
    wanted = {
        "string_type": "text",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "tuple_type": "a list",
        "list_type": "a list",
        "url_type": "a web address",
        "dict_type": "names with values",
        "model_type": "names with values",
    }.get(kind, "something else")
    hint = ""
    if kind == "string_type" and isinstance(found, bool | int | float):
        hint = "; put it in quotes"
    return f"must be {wanted}, not {_echo(found)}{hint}"


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
