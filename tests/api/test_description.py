"""The API describes itself truly and completely."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture
async def description(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


async def test_it_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()


async def test_every_operation_has_a_sentence_and_says_who_may_call(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        assert operation.get("description"), name
        assert operation.get("security"), name


async def test_every_body_and_every_answer_has_an_example(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        contents = [each for body in bodies for each in body.get("content", {}).values()]
        assert contents, name
        assert all(content.get("example") is not None or "examples" in content for content in contents), name


async def test_every_post_takes_an_idempotency_key_and_no_get_does(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        if name.startswith(("GET", "POST")):
            takes = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", [])}
            assert takes == name.startswith("POST"), name


async def test_every_operation_answers_problems(description: dict[str, Any]) -> None:
    for name, operation in operations(description):
        assert "application/problem+json" in operation["responses"]["default"]["content"], name
