"""Discount policies: who may give what, and who approves what is beyond, in numbered versions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from api.etag import answer_version
from api.paging import Listing, PagingDep, listing
from api.principal import require
from api.route import TandemRoute
from api.services import DatabaseDep
from api.v1.schemas import USER_ID, WHEN, example
from api.written import answer_published, body_of, demand_key, read_definition
from db import directory, discounts, partners, policies
from db.session import Database
from db.tables import PolicyVersion
from domain.approval.directory import Directory
from domain.discount.policy import DiscountPolicy, DiscountPolicyDefinition
from domain.discount.replay import Replayed, ReplayReport, Skipped
from domain.principal import Action, Principal
from runtime.policies import RULES, parse_policy, what_is_wrong

router = APIRouter(prefix="/policies", tags=["policies"], route_class=TandemRoute)

Reader = Annotated[Principal, require(Action.READ_POLICIES)]
Publisher = Annotated[Principal, require(Action.PUBLISH_POLICIES)]
Key = Annotated[str, Path(max_length=60, examples=["standard"])]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]

_SUMMARY = {"key": "standard", "version": 1, "title": "Standard discount policy", "published_at": WHEN}
_DEFINITION: dict[str, Any] = {
    "key": "standard",
    "title": "Standard discount policy",
    "currency": "USD",
    "standard": {"tiers": {"gold": "15", "silver": "10"}},
    "steps": [
        {
            "key": "deal-desk",
            "title": "Deal desk",
            "when": "discount.beyond > 0.0",
            "approvers": [{"role": "deal_desk"}],
        }
    ],
}
_BODY = body_of(
    "The policy, as JSON or as YAML.",
    "DiscountPolicyDefinition",
    _DEFINITION,
    "key: standard\ntitle: Standard discount policy\nstandard:\n  tiers: {gold: 15}\nsteps: [...]\n",
)


class PolicySummary(BaseModel):
    """A version of a policy, without what is in it."""

    model_config = example({**_SUMMARY, "published_by": USER_ID})

    key: str
    version: int
    title: str
    published_at: datetime
    published_by: UUID | None


class PolicyPublic(PolicySummary):
    """A version of a policy with what is in it."""

    model_config = example({**_SUMMARY, "published_by": USER_ID, "definition": {**_DEFINITION, "version": 1}})

    definition: DiscountPolicy


class ReplayOut(BaseModel):
    """What a draft would change for all past requests. Amounts are in the draft's currency."""

    model_config = example(
        {
            "policy": "standard",
            "currency": "USD",
            "requests": 120,
            "changed": 18,
            "approvals_before": 96,
            "approvals_after": 78,
            "more_approvals": -18,
            "at_once_before": 40,
            "at_once_after": 58,
            "given_before": "1250000.00",
            "given_after": "1280000.00",
            "more_given": "30000.00",
            "by_step": {"Deal desk": 62, "Finance": 16},
            "items": [],
            "skipped": [],
        }
    )

    policy: str
    currency: str
    requests: int
    changed: int
    approvals_before: int
    approvals_after: int
    more_approvals: int
    at_once_before: int
    at_once_after: int
    given_before: Decimal
    given_after: Decimal
    more_given: Decimal
    by_step: dict[str, int]
    items: list[Replayed]
    skipped: list[Skipped]

    @classmethod
    def of(cls, report: ReplayReport) -> ReplayOut:
        return cls(**{name: getattr(report, name) for name in cls.model_fields})


@router.get("")
async def list_policies(
    request: Request, response: Response, _principal: Reader, database: DatabaseDep, paging: PagingDep
) -> Listing[PolicySummary]:
    """The newest version of each policy."""
    async with database.read() as session:
        found = await policies.page(session, paging)
    return listing(request, response, found, summary)


@router.post("/replay", openapi_extra=_BODY)
async def replay_draft(request: Request, _principal: Publisher, database: DatabaseDep) -> ReplayOut:
    """Run all past requests through a draft: who would have been asked, and what would have been given."""
    draft = await _definition(request, None)
    async with database.read() as session:
        return ReplayOut.of(await discounts.replay_past(session, draft, RULES))


@router.get("/{key}")
async def read_policy(
    key: Key, response: Response, _principal: Reader, database: DatabaseDep
) -> PolicyPublic:
    """The newest version of a policy: what new deals keep."""
    async with database.read() as session:
        row = await policies.latest_row(session, key)
    answer_version(response, row.version)
    return show(row)


@router.get("/{key}/versions")
async def list_policy_versions(
    key: Key,
    request: Request,
    response: Response,
    _principal: Reader,
    database: DatabaseDep,
    paging: PagingDep,
) -> Listing[PolicySummary]:
    """All versions of a policy, newest first."""
    async with database.read() as session:
        await policies.latest_row(session, key)
        found = await policies.versions(session, key, paging)
    return listing(request, response, found, summary)


@router.get("/{key}/versions/{version}")
async def read_policy_version(
    key: Key, version: Version, response: Response, _principal: Reader, database: DatabaseDep
) -> PolicyPublic:
    """One version of a policy."""
    async with database.read() as session:
        row = await policies.version_row(session, key, version)
    answer_version(response, row.version)
    return show(row)


_PUBLISHED: dict[int | str, dict[str, Any]] = {
    200: {"model": PolicyPublic, "description": "The newest version says the same already."}
}


@router.post("", status_code=201, openapi_extra=_BODY, responses=_PUBLISHED)
async def publish_policy(
    request: Request, response: Response, principal: Publisher, database: DatabaseDep
) -> PolicyPublic:
    """Publish a policy: a new one, or the next version of the one that has its key."""
    definition = await _definition(request, await people_to_ask(database))
    return await _publish(definition, request, response, principal, database)


@router.post("/{key}/versions", status_code=201, openapi_extra=_BODY, responses=_PUBLISHED)
async def publish_policy_version(
    key: Key, request: Request, response: Response, principal: Publisher, database: DatabaseDep
) -> PolicyPublic:
    """Publish a policy as its next version. Deals that run keep the version that they started with."""
    definition = await _definition(request, await people_to_ask(database))
    demand_key("policy", definition.key, key)
    return await _publish(definition, request, response, principal, database)


async def _publish(
    definition: DiscountPolicyDefinition,
    request: Request,
    response: Response,
    principal: Principal,
    database: Database,
) -> PolicyPublic:
    async with database.transaction() as session:
        row, is_new = await policies.publish(session, definition, by=principal.id, now=datetime.now(UTC))
    answer_published(request, response, row, "read_policy_version", is_new=is_new)
    return show(row)


async def people_to_ask(database: Database) -> Directory:
    """Whom the steps of a policy can ask."""
    async with database.read() as session:
        vendor = await partners.vendor(session)
        return await directory.read(session, organisation_ids=[vendor.id] if vendor else [])


async def _definition(request: Request, people: Directory | None) -> DiscountPolicyDefinition:
    """The policy in the body; with people, every step has to find somebody among them."""
    parse = partial(parse_policy, file="policy.yaml", directory=people)
    wrong = partial(what_is_wrong, directory=people)
    return await read_definition(request, "policy", DiscountPolicyDefinition, parse, wrong)


def summary(row: PolicyVersion) -> PolicySummary:
    """A version in a list."""
    return PolicySummary(**row.model_dump(include=set(PolicySummary.model_fields)))


def show(row: PolicyVersion) -> PolicyPublic:
    """A version as the API answers it."""
    return PolicyPublic(**dict(summary(row)), definition=policies.of_row(row))
