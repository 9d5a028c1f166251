"""The API description (OpenAPI 3.1): what FastAPI finds out, with an example for each body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from api.idempotency import HEADER
from api.problems import Problem
from domain.discount.policy import DiscountPolicyDefinition
from domain.playbook import PlaybookDefinition

_IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of 1 to 255 visible characters. The same key and body again is one change.",
    "schema": {"type": "string", "maxLength": 255},
    "example": "5f0c5b1f-2a10-4c7c-9d4e-7e537cc10198",
}

_STREAM = 'id: 42\nevent: timeline\ndata: {"type": "task_completed"}\n\n'


def describe(app: FastAPI) -> None:
    """Complete the description of this application, once somebody asks for it."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = plain()
            _add_schemas(description)
            for method, operation in _operations(description):
                _describe_idempotency_key(method, operation)
                _add_examples(operation, description)
        return app.openapi_schema or plain()

    app.openapi = complete  # type: ignore[method-assign] # FastAPI's own way to extend it


def _add_schemas(description: dict[str, Any]) -> None:
    """What routes speak of without FastAPI's knowing; its own errors go, since nobody gets to see them."""
    schemas = description["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for _, operation in _operations(description):
        operation["responses"].pop("422", None)
    for model in (Problem, PlaybookDefinition, DiscountPolicyDefinition):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in {**schema.pop("$defs", {}), model.__name__: schema}.items():
            schemas.setdefault(name, part)


def _operations(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in description["paths"].values():
        yield from path.items()


def _describe_idempotency_key(method: str, operation: dict[str, Any]) -> None:
    """Every POST takes the key. A GET has no use for it, though it may share what it needs with commands."""
    if method not in {"get", "post"}:
        return
    parameters = operation.setdefault("parameters", [])
    parameters[:] = [each for each in parameters if each["name"].lower() != HEADER.lower()]
    if method == "post":
        parameters.append(_IDEMPOTENCY_KEY)


def _add_examples(operation: dict[str, Any], description: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            if "itemSchema" in content:  # a stream, as OpenAPI 3.2 will describe it
                content.clear()
                content.update(schema={"type": "string"}, example=_STREAM)
            if "example" not in content and "examples" not in content:
                content["example"] = _example(content.get("schema", {}), description)


def _example(schema: dict[str, Any], description: dict[str, Any]) -> Any:
    """An example of a schema: its own, or one made of the examples of its parts."""
    if "$ref" in schema:
        return _example(_referred(schema["$ref"], description), description)
    if schema.get("examples"):
        return schema["examples"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _example(schema[several][0], description)
    if schema.get("type") == "array":
        return [_example(schema.get("items", {}), description)]
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: _example(part, description) for name, part in properties.items()}
    return schema.get("default", schema.get("const", _PLAIN.get(schema.get("type", ""))))


_PLAIN = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}


def _referred(reference: str, description: dict[str, Any]) -> dict[str, Any]:
    found: Any = description
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
