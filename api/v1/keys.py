"""API keys: each person's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.fields import Input, Instant, ShortText
from api.idempotency import MintedDep
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import WHEN, example, example_input
from db import keys
from db.tables import ApiKey
from domain.errors import InvalidInput
from domain.principal import Action, Principal
from runtime import tokens

router = APIRouter(prefix="/keys", tags=["keys"], route_class=TandemRoute)

Owner = Annotated[Principal, require(Action.MANAGE_OWN_KEYS)]

_EXAMPLE = {
    "id": "0198c5a3-1b77-7d02-8f35-6e2d8c4a9f10",
    "name": "nightly export",
    "hint": "tdm_Qm3x",
    "created_at": WHEN,
    "expires_at": "2028-01-11T00:00:00Z",
    "last_used_at": None,
}


class KeyCreate(Input):
    """A key for a program that acts as you."""

    model_config = example_input({"name": "nightly export", "expires_at": "2028-01-11T00:00:00Z"})

    name: ShortText
    expires_at: Instant | None = None


class KeyPublic(BaseModel):
    """A key; `hint` is how its secret begins. `last_used_at` is right to the minute."""

    model_config = example(_EXAMPLE)

    id: UUID
    name: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyCreated(KeyPublic):
    """A new key with its secret, which is shown this once."""

    model_config = example({**_EXAMPLE, "token": "tdm_Qm3xJ8…"})

    token: str


@router.get("")
async def list_keys(
    request: Request, response: Response, principal: PrincipalDep, database: DatabaseDep, paging: PagingDep
) -> Listing[KeyPublic]:
    """Your keys that are not revoked, newest first."""
    async with database.read() as session:
        found = await keys.page(session, principal, paging)
    return listing(request, response, found, show)


@router.post("", status_code=201)
async def create_key(
    body: KeyCreate, response: Response, principal: Owner, minted: MintedDep, database: DatabaseDep
) -> KeyCreated:
    """Make a key. Keep the token: nobody can show it again."""
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise InvalidInput(
            "This instant is past; a key expires in the future, or never.", pointer="/expires_at"
        )
    token = tokens.new_api_key()
    key = ApiKey(
        id=minted.resource_id,
        user_id=principal.id,
        name=body.name,
        hint=tokens.hint(token),
        token_hash=tokens.digest(token),
        expires_at=body.expires_at,
    )
    async with database.transaction() as session:
        key = await keys.add(session, key)
    response.headers["Cache-Control"] = "no-store"
    return KeyCreated(**dict(show(key)), token=token)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, principal: PrincipalDep, database: DatabaseDep) -> None:
    """Revoke a key: from now on it opens nothing."""
    async with database.transaction() as session:
        await keys.revoke(session, principal, key_id, datetime.now(UTC))


def show(key: ApiKey) -> KeyPublic:
    """A key as the API answers it."""
    return KeyPublic(**key.model_dump(include=set(KeyPublic.model_fields)))
