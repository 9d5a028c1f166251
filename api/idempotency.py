"""The same request twice is one change: `Idempotency-Key` on every POST.

Routers use `route_class=IdempotentRoute`. A POST with the header is claimed in
the database before it runs, with an id minted for what it will make, and its
answer is kept after. The same request again gets the same answer; one that
arrives while the first still runs, or after the process died in between, runs
with the *same* ids, which the workflow engine (update id) and the tables
(primary key) take for the one change that it is.

A route that makes something takes `MintedDep`, and uses its ids.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.principal import authenticate
from api.services import services_of
from db import idempotency
from db.session import Database
from db.tables import IdempotentRequest
from domain.errors import IdempotencyKeyReused, InvalidInput, TandemError
from runtime.ids import new_id

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("content-type", "etag", "location")
_SANE_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Minted:
    """The ids of one change, the same each time the request is repeated.

    `resource_id` is for what the request makes; `update_id` is for the update
    that it sends to a workflow.
    """

    resource_id: UUID
    update_id: str


def minted(
    request: Request,
    _header: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="Any text of up to 255 characters; the same key and body again is one change.",
        ),
    ] = None,
) -> Minted:
    """Dependency: the ids for what this request makes."""
    known: Minted | None = getattr(request.state, "minted", None)
    if known is None:
        the_id = new_id()
        known = Minted(the_id, str(the_id))
    return known


MintedDep = Annotated[Minted, Depends(minted)]

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotentRoute(APIRoute):
    """A route whose POST honours `Idempotency-Key`."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        if "POST" not in self.methods:
            return handler

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            return await (handler(request) if key is None else _once(request, key, handler))

        return once


async def _once(request: Request, key: str, handler: Handler) -> Response:
    if not _SANE_KEY.fullmatch(key):
        raise InvalidInput(f"{HEADER} takes 1 to 255 visible ASCII characters, without spaces.")
    principal = await authenticate(request)
    database = services_of(request).database
    wanted = IdempotentRequest(
        principal_id=principal.id, key=key, fingerprint=await _fingerprint(request), resource_id=new_id()
    )
    async with database.transaction() as session:
        claimed = await idempotency.claim(session, wanted)
    if claimed.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReused(f"This {HEADER} was used for another request; take a new one.")
    if claimed.status is not None:
        return _replay(claimed)
    request.state.minted = Minted(claimed.resource_id, f"{principal.id}:{key}")
    try:
        response = await handler(request)
    except (TandemError, RequestValidationError, HTTPException) as refusal:
        # What went wrong on our side may have happened all the same: its key stays taken, with its ids.
        if _status(refusal) < HTTPStatus.INTERNAL_SERVER_ERROR:
            async with database.transaction() as session:
                await idempotency.release(session, principal.id, key)
        raise
    await _keep(database, principal.id, key, response)
    return response


async def _fingerprint(request: Request) -> bytes:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode() + await request.body()).digest()


def _status(refusal: TandemError | RequestValidationError | HTTPException) -> int:
    if isinstance(refusal, TandemError):
        return refusal.status
    return refusal.status_code if isinstance(refusal, HTTPException) else HTTPStatus.UNPROCESSABLE_ENTITY


async def _keep(database: Database, principal_id: UUID, key: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    async with database.transaction() as session:
        await idempotency.store(
            session,
            principal_id,
            key,
            status=response.status_code,
            headers=json.dumps(headers),
            body=bytes(response.body),
        )


def _replay(claimed: IdempotentRequest) -> Response:
    return Response(
        content=claimed.body,
        status_code=claimed.status or HTTPStatus.OK,
        headers={**json.loads(claimed.headers or "{}"), REPLAYED: "true"},
    )
