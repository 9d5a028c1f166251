"""Errors as RFC 9457 problem documents, or as a page for a browser that asked for one."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from api import validation
from domain.errors import TandemError
from runtime.logging import without_secrets

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1


class ProblemError(BaseModel):
    """One thing that is wrong, and where: a JSON pointer into the body, or a slash and a parameter."""

    model_config = ConfigDict(extra="allow")

    pointer: str
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` is stable; `detail` is a sentence for people."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:tandem:problem:not_found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "There is no such opportunity.",
                    "code": "not_found",
                    "request_id": "0198c5a2-7e53-7cc1-9d4e-5f0c5b1f2a10",
                }
            ]
        },
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemError] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every operation may answer besides; `Problem` itself is put among the schemas by `api.openapi`."""

_BY_STATUS = {
    400: (
        "malformed",
        "The request cannot be read",
        "The request cannot be read; send a valid JSON document.",
    ),
    401: ("unauthenticated", "Sign in first", "Sign in first."),
    403: ("forbidden", "Not allowed", "This is not allowed."),
    404: ("not_found", "Not found", "There is nothing at this address."),
    405: ("method_not_allowed", "Not possible here", "This address does not take this method; see Allow."),
    413: ("too_large", "The request is too large", "The request is larger than the server takes."),
    415: ("unsupported_media_type", "Unknown kind of content", "Send JSON as application/json."),
}


def of_error(error: TandemError, request_id: str) -> Problem:
    """The problem document of an error of ours."""
    members = {
        name: value
        for name, value in error.extra.items()
        if name not in Problem.model_fields or name == "errors"
    }
    return Problem(
        type=f"urn:tandem:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        **members,
    )


def of_status(status: int, request_id: str, detail: str | None = None) -> Problem:
    """The problem document of a plain HTTP status."""
    phrase = HTTPStatus(status).phrase
    code, title, sentence = _BY_STATUS.get(
        status, (phrase.lower().replace(" ", "_").replace("-", "_"), phrase, f"{phrase}.")
    )
    return Problem(
        type=f"urn:tandem:problem:{code}",
        title=title,
        status=status,
        detail=detail or sentence,
        code=code,
        request_id=request_id,
    )


def response_to(error: TandemError, request: Request) -> Response:
    """The answer to an error, for middleware that answers before any route does."""
    return _answer(request, of_error(error, request_id(request)), _headers(error.status, error.extra))


def install(app: FastAPI) -> None:
    """Render every error of this application in one way."""

    @app.exception_handler(TandemError)
    async def refused(request: Request, error: TandemError) -> Response:
        problem = of_error(error, request_id(request))
        return _answer(request, problem, _headers(error.status, error.extra))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return _answer(request, _of_invalid(request, error.errors()), {})

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        problem = of_status(error.status_code, request_id(request), _in_words(request, error))
        return _answer(request, problem, dict(error.headers or {}))


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a bug: no details, but the request id under which the log has them."""
    path = without_secrets(request.url.path)
    log.error("request.failed", request_id=request_id(request), path=path, exc_info=error)
    detail = "Something went wrong on our side. Try again; if it stays, report it with the request id."
    return _answer(request, of_status(500, request_id(request), detail), {})


def request_id(request: Request) -> str:
    """The id of this request, which the outermost middleware gave it."""
    return str(getattr(request.state, "request_id", ""))


def _in_words(request: Request, error: HTTPException) -> str | None:
    """A form that cannot be read is no JSON document."""
    if error.status_code == HTTPStatus.BAD_REQUEST and _is_form(request):
        return "The form cannot be read; go back, reload the page and send it again."
    return None


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))


def _of_invalid(request: Request, errors: Sequence[Any]) -> Problem:
    """What is not valid, field by field; but a page without a valid id is none, and a body has to be JSON."""
    the_id = request_id(request)
    if _wants_page(request) and any(error["loc"][:1] == ("path",) for error in errors):
        return of_status(HTTPStatus.NOT_FOUND, the_id)
    if not _is_json(request) and any(_is_whole_body(error) for error in errors):
        return of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, the_id)
    return _of_validation(errors, the_id)


def _is_json(request: Request) -> bool:
    """Whether the body says that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _is_whole_body(error: Any) -> bool:
    return tuple(error["loc"]) == ("body",) and error["type"] != "missing"


def _of_validation(errors: Sequence[Any], the_request_id: str) -> Problem:
    if any(error["type"] == "json_invalid" for error in errors):
        return of_status(400, the_request_id, "The body is not valid JSON.")
    found = validation.explained(errors)
    detail = found[0]["detail"] if len(found) == 1 else f"{len(errors)} things are not valid; see errors."
    return Problem(
        type="urn:tandem:problem:invalid_input",
        title="The input is not valid",
        status=422,
        detail=detail,
        code="invalid_input",
        request_id=the_request_id,
        errors=[ProblemError(**each) for each in found],
    )


def _headers(status: int, extra: dict[str, Any]) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="tandem"'}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return {"Retry-After": str(extra.get("retry_after", RETRY_AFTER_SECONDS))}
    return {}


def _answer(request: Request, problem: Problem, headers: dict[str, str]) -> Response:
    """A page where a browser asked for one and the pages know how (`app.state.problem_page`), else JSON."""
    page = getattr(request.app.state, "problem_page", None)
    if page is not None and _wants_page(request):
        answer: Response = page(request, problem)
        answer.headers.update(headers)
        return answer
    return _json(problem, headers)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _json(problem: Problem, headers: dict[str, str]) -> Response:
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )
