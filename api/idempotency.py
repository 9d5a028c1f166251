"""The same request twice is one change: `Idempotency-Key` on every POST.

Routers use `route_class=TandemRoute` (see `api.route`). A POST with the header is claimed in
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
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.principal import authenticate, credential_of
from api.services import services_of
from db import idempotency
from db.session import Database
from db.tables import IdempotentRequest
from domain.errors import Conflict, IdempotencyKeyReused, InvalidInput, TandemError
from runtime import tokens
from runtime.ids import new_id

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEPT_HEADERS = ("cache-control", "content-type", "etag", "location")
_SANE_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Minted:
    """The ids of one change, the same each time the request is repeated.

    `resource_id` is for what the request makes; `update_id` is for the update
    that it sends to a workflow.
    """

    resource_id: UUID
    update_id: str


async def minted(
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


async def once(request: Request, handler: Handler) -> Response:
    """Run a POST, or answer what it answered before when its key was used for it already.

    Raises `IdempotencyKeyReused` when the key was used for another request.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await handler(request)
    if not _SANE_KEY.fullmatch(key):
        raise InvalidInput(f"{HEADER} takes 1 to 255 visible ASCII characters, without spaces.")
    principal = await authenticate(request)
    database = services_of(request).database
    wanted = IdempotentRequest(
        principal_id=principal.id, key=key, fingerprint=await _fingerprint(request), resource_id=new_id()
    )
    async with database.single() as session:
        claimed = await idempotency.claim(session, wanted)
    if claimed.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReused(f"This {HEADER} was used for another request; take a new one.")
    if claimed.status is not None:
        return _replay(claimed, request)
    request.state.minted = Minted(claimed.resource_id, f"{principal.id}:{key}")
    try:
        response = await handler(request)
    except (TandemError, RequestValidationError, HTTPException) as refusal:
        # What went wrong on our side may have happened all the same: its key stays taken, with its ids.
        if _status(refusal) < HTTPStatus.INTERNAL_SERVER_ERROR:
            async with database.single() as session:
                await idempotency.release(session, principal.id, key)
        raise
    await _keep(database, claimed, request, response)
    return response


async def _fingerprint(request: Request) -> bytes:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode() + await request.body()).digest()


def _status(refusal: TandemError | RequestValidationError | HTTPException) -> int:
    if isinstance(refusal, TandemError):
        return refusal.status
    return refusal.status_code if isinstance(refusal, HTTPException) else HTTPStatus.UNPROCESSABLE_ENTITY


async def _keep(database: Database, claimed: IdempotentRequest, request: Request, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = bytes(response.body)
    if _is_secret(response.headers):
        body = tokens.seal(body, credential_of(request), claimed.resource_id.bytes)
    async with database.single() as session:
        await idempotency.store(
            session,
            claimed.principal_id,
            claimed.key,
            status=response.status_code,
            headers=json.dumps(headers),
            body=body,
        )


def _replay(claimed: IdempotentRequest, request: Request) -> Response:
    headers: dict[str, str] = json.loads(claimed.headers or "{}")
    body = claimed.body or b""
    if _is_secret(headers):
        opened = tokens.unseal(body, credential_of(request), claimed.resource_id.bytes)
        if opened is None:
            raise Conflict(
                "The first answer held a secret; it is given again only to the same key or session."
            )
        body = opened
    return Response(
        content=body, status_code=claimed.status or HTTPStatus.OK, headers={**headers, REPLAYED: "true"}
    )


def _is_secret(headers: Mapping[str, str]) -> bool:
    """An answer that says "no-store" is kept sealed with the caller's own credential, which is not kept."""
    return headers.get("cache-control") == "no-store"
