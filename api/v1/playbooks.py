"""Playbooks: how kinds of deals are worked, in numbered versions that never change."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from api.etag import answer_version
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.schemas import USER_ID, WHEN, example
from api.written import answer_published, body_of, demand_key, read_definition
from db import playbooks
from db.session import Database
from db.tables import PlaybookVersion
from domain.opportunity.state import LoseReason
from domain.playbook import Playbook, PlaybookDefinition
from domain.principal import Action, Principal
from runtime.playbooks import parse_playbook, wrong_rules

router = APIRouter(prefix="/playbooks", tags=["playbooks"], route_class=TandemRoute)

Publisher = Annotated[Principal, require(Action.PUBLISH_PLAYBOOKS)]
Key = Annotated[str, Path(max_length=60, examples=["it-software"])]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]

_SUMMARY = {"key": "it-software", "version": 1, "title": "IT software", "published_at": WHEN}
_DEFINITION: dict[str, Any] = {
    "key": "it-software",
    "title": "IT software",
    "stages": [
        {
            "key": "joint-demo",
            "title": "Joint demonstration",
            "phase": "technical_validation",
            "probability": 50,
            "tasks": [{"key": "share-customer-profile", "title": "Share the profile", "side": "partner"}],
        }
    ],
}
_BODY = body_of(
    "The playbook, as JSON or as YAML.",
    "PlaybookDefinition",
    _DEFINITION,
    "key: it-software\ntitle: IT software\nstages: [...]\n",
)


class PlaybookSummary(BaseModel):
    """A version of a playbook, without what is in it."""

    model_config = example({**_SUMMARY, "published_by": USER_ID})

    key: str
    version: int
    title: str
    published_at: datetime
    published_by: UUID | None


class PlaybookPublic(PlaybookSummary):
    """A version of a playbook with what is in it."""

    model_config = example({**_SUMMARY, "published_by": USER_ID, "definition": {**_DEFINITION, "version": 1}})

    definition: Playbook


class Playbooks(Listing[PlaybookSummary]):
    """The newest version of each playbook, and the reasons for which a deal is lost."""

    model_config = example(
        {
            "items": [{**_SUMMARY, "published_by": None}],
            "next_cursor": None,
            "lose_reasons": [reason.value for reason in LoseReason],
        }
    )

    lose_reasons: list[LoseReason]


@router.get("")
async def list_playbooks(
    request: Request, response: Response, _principal: PrincipalDep, database: DatabaseDep, paging: PagingDep
) -> Playbooks:
    """The newest version of each playbook, and the reasons for which a deal is lost."""
    async with database.read() as session:
        found = await playbooks.page(session, paging)
    page = listing(request, response, found, summary)
    return Playbooks(items=page.items, next_cursor=page.next_cursor, lose_reasons=list(LoseReason))


@router.get("/{key}")
async def read_playbook(
    key: Key, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> PlaybookPublic:
    """The newest version of a playbook: what a new deal starts with."""
    async with database.read() as session:
        row = await playbooks.latest_row(session, key)
    answer_version(response, row.version)
    return show(row, principal)


@router.get("/{key}/versions")
async def list_versions(
    key: Key,
    request: Request,
    response: Response,
    _principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
) -> Listing[PlaybookSummary]:
    """All versions of a playbook, newest first."""
    async with database.read() as session:
        await playbooks.latest_row(session, key)
        found = await playbooks.versions(session, key, paging)
    return listing(request, response, found, summary)


@router.get("/{key}/versions/{version}")
async def read_version(
    key: Key, version: Version, response: Response, principal: PrincipalDep, database: DatabaseDep
) -> PlaybookPublic:
    """One version of a playbook."""
    async with database.read() as session:
        row = await playbooks.version_row(session, key, version)
    answer_version(response, row.version)
    return show(row, principal)


_PUBLISHED: dict[int | str, dict[str, Any]] = {
    200: {"model": PlaybookPublic, "description": "The newest version says the same already."}
}


@router.post("", status_code=201, openapi_extra=_BODY, responses=_PUBLISHED)
async def publish_playbook(
    request: Request, response: Response, principal: Publisher, services: ServicesDep
) -> PlaybookPublic:
    """Publish a playbook: a new one, or the next version of the one that has its key."""
    definition = await _definition(request, services)
    return await _publish(definition, request, response, principal, services.database)


@router.post("/{key}/versions", status_code=201, openapi_extra=_BODY, responses=_PUBLISHED)
async def publish_version(
    key: Key, request: Request, response: Response, principal: Publisher, services: ServicesDep
) -> PlaybookPublic:
    """Publish a playbook as its next version. Deals that run keep the version that they started with."""
    definition = await _definition(request, services)
    demand_key("playbook", definition.key, key)
    return await _publish(definition, request, response, principal, services.database)


async def _publish(
    definition: PlaybookDefinition,
    request: Request,
    response: Response,
    principal: Principal,
    database: Database,
) -> PlaybookPublic:
    async with database.transaction() as session:
        row, is_new = await playbooks.publish(session, definition, by=principal.id, now=datetime.now(UTC))
    answer_published(request, response, row, "read_version", is_new=is_new)
    return show(row, principal)


async def _definition(request: Request, services: Services) -> PlaybookDefinition:
    private = services.settings.webhook_allow_private
    parse = partial(parse_playbook, file="playbook.yaml", private=private)
    wrong = partial(wrong_rules, private=private)
    return await read_definition(request, "playbook", PlaybookDefinition, parse, wrong)


def summary(row: PlaybookVersion) -> PlaybookSummary:
    """A version in a list."""
    return PlaybookSummary(**row.model_dump(include=set(PlaybookSummary.model_fields)))


def show(row: PlaybookVersion, reader: Principal) -> PlaybookPublic:
    """A version as the API answers it to this reader."""
    definition = playbooks.of_row(row).as_read_by(reader.side)
    return PlaybookPublic(**dict(summary(row)), definition=definition)
