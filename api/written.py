"""What people write and publish, as a request's body: YAML or JSON, with every problem where it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api.etag import answer_new
from domain.errors import InvalidInput
from runtime.documents import MAX_BYTES, Location

YAML = {"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"}

Written = TypeVar("Written", bound=BaseModel)


async def read_definition(
    request: Request,
    word: str,
    model: type[Written],
    parse: Callable[[str], Written],
    wrong: Callable[[Written], list[tuple[Location, str]]],
) -> Written:
    """The definition in the body; `word` is what people call one. Rules are compiled in a thread.

    Raises:
        InvalidInput: it is too large, no text, or of another kind; or `parse` says so.
        RequestValidationError: a problem of JSON, at its place.
    """
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise InvalidInput(f"A {word} may have at most {MAX_BYTES // 1024} KB.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in YAML:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput("This file is not UTF-8 text; save it as UTF-8.") from error
        return await asyncio.to_thread(parse, text)
    if kind != "application/json":
        raise InvalidInput("Say what the body is: Content-Type is application/yaml or application/json.")
    return await asyncio.to_thread(_from_json, body, model, wrong)


def _from_json(
    body: bytes, model: type[Written], wrong: Callable[[Written], list[tuple[Location, str]]]
) -> Written:
    try:
        definition = model.model_validate_json(body, strict=True)
    except ValidationError as invalid:
        raise RequestValidationError(invalid.errors(include_input=False)) from invalid
    json.loads(body, object_pairs_hook=_once)
    errors = [
        {"type": "value_error", "loc": location, "msg": problem, "ctx": {"error": problem}}
        for location, problem in wrong(definition)
    ]
    if errors:
        raise RequestValidationError(errors)
    return definition


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, each of whose names is there once: the last would win, and what the others say be lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidInput(f"'{name}' is here a second time in the same object; keep one of them.")
        found[name] = value
    return found


def demand_key(word: str, key: str, place: str) -> None:
    """A definition is published under its own key only. Raises `InvalidInput`."""
    if key != place:
        raise InvalidInput(f"This {word} has the key '{key}'; publish it there.", pointer="/key")


class Published(Protocol):
    """A version as it is kept."""

    key: str
    version: int


def answer_published(
    request: Request, response: Response, row: Published, route: str, *, is_new: bool
) -> None:
    """Say which version was published and where it is read; 200 where it was there already."""
    if not is_new:
        response.status_code = 200
    answer_new(request, response, row.version, route, key=row.key, version=row.version)


def body_of(what: str, schema: str, json_example: Any, yaml_example: str) -> dict[str, Any]:
    """How such a body is described in the API's description."""
    return {
        "requestBody": {
            "required": True,
            "description": what,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{schema}"},
                    "example": json_example,
                },
                "application/yaml": {"schema": {"type": "string"}, "example": yaml_example},
            },
        }
    }
