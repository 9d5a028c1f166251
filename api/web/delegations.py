"""Out of office: who decides meanwhile, planned and ended by days of the person's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.fields import Day, Input
from api.principal import PrincipalDep
from api.services import DatabaseDep, ServicesDep
from api.v1.delegations import DelegationCreate, DelegationPublic, delegate, end, show, speaks_for_others
from api.web.filters import new_key
from api.web.forms import Form, FormDep, Refusal, WebRoute, claimed, parse
from api.web.lists import Cursor
from api.web.rendering import go, page
from api.zones import begins, zone_named
from db import delegations, people
from db.delegations import Named
from db.pages import PageRequest
from db.session import Database
from db.tables import User
from domain.calendar import UTC_ZONE
from domain.errors import NotFound, TandemError
from domain.principal import Principal

router = APIRouter(prefix="/delegations", include_in_schema=False, route_class=WebRoute)
PER_PAGE = 50
MOST = 200
"""How many colleagues a list offers."""


class Absence(Input):
    """The first and the last day on which somebody is away."""

    starts_at: Day | None = None
    ends_at: Day | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A delegation as the page shows it: days of the time zone of who is away."""

    delegation: DelegationPublic
    first_day: date
    back_on: date | None
    mine: bool
    may_end: bool


@router.get("")
async def read_all(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    *,
    over: bool = False,
    cursor: Cursor = None,
) -> Response:
    """Who is away and who decides meanwhile, now and later; or what is over."""
    now = datetime.now(UTC)
    async with database.read() as session:
        found = await delegations.page(session, principal, PageRequest(PER_PAGE, cursor), over=over, now=now)
    more = request.url.include_query_params(cursor=found.next_cursor)
    return page(
        request,
        "delegations/index.html",
        principal=principal,
        section="delegations",
        lines=[_line(each, principal, now) for each in found.items],
        over=over,
        speaks_for_others=speaks_for_others(principal),
        more_url=f"{more.path}?{more.query}" if found.next_cursor else None,
    )


@router.get("/new")
async def ask_for_new(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """The form: who stands in, and when."""
    return _form(request, principal, await _colleagues(database, principal), {})


@router.post("/new")
async def add(request: Request, principal: PrincipalDep, services: ServicesDep, form: FormDep) -> Response:
    """Keep who stands in, and show it."""
    colleagues = await _colleagues(services.database, principal)
    now = datetime.now(UTC)
    try:
        body = parse(DelegationCreate, _typed(form, principal, colleagues))
        minted = await claimed(services.database, principal, form)
        made = await delegate(services, principal, body, minted.resource_id, now)
    except TandemError as error:
        return _form(request, principal, colleagues, form.values, Refusal.of(error))
    whom = "you" if made.row.user_id == principal.id else made.user
    return go(request, "/delegations", f"{made.to} decides for {whom} meanwhile.")


@router.post("/{delegation_id}/end")
async def end_one(
    delegation_id: UUID, request: Request, principal: PrincipalDep, services: ServicesDep
) -> Response:
    """Somebody is back, or stays after all."""
    try:
        await end(services, principal, delegation_id)
    except NotFound as over:
        return go(request, "/delegations", over.detail, "info")
    return go(request, "/delegations", "Ended: nobody stands in any more.")


async def _colleagues(database: Database, principal: Principal) -> list[User]:
    """The active people of the organisation, and the person herself, by name."""
    async with database.read() as session:
        found = await people.page(
            session,
            principal,
            PageRequest(MOST),
            organisation_id=principal.organisation_id,
            active=True,
        )
    return [user for user, _ in found.items]


def _typed(form: Form, principal: Principal, colleagues: list[User]) -> dict[str, Any]:
    """What was typed as the API takes it: whole days, by the clock of who is away.

    Raises `InvalidInput` for what are no days.
    """
    typed: dict[str, Any] = form.given("to", "reason", "user_id")
    absence = parse(Absence, form.given("starts_at", "ends_at"))
    who = typed.get("user_id", str(principal.id))
    zone = zone_named(next((user.time_zone for user in colleagues if str(user.id) == who), UTC_ZONE))
    if absence.starts_at is not None:
        typed["starts_at"] = begins(absence.starts_at, zone)
    if absence.ends_at is not None:
        typed["ends_at"] = begins(absence.ends_at + timedelta(days=1), zone)
    return typed


def _line(named: Named, principal: Principal, now: datetime) -> Line:
    zone, row = zone_named(named.time_zone), named.row
    mine = row.user_id == principal.id
    shown = show(named, now)
    return Line(
        shown,
        first_day=row.starts_at.astimezone(zone).date(),
        back_on=row.ends_at.astimezone(zone).date() if row.ends_at is not None else None,
        mine=mine,
        may_end=shown.state != "over" and (mine or speaks_for_others(principal)),
    )


def _form(
    request: Request,
    principal: Principal,
    colleagues: list[User],
    values: Any,
    refusal: Refusal | None = None,
) -> Response:
    others = [(user.id, user.name) for user in colleagues if user.id != principal.id]
    mine = next((user.time_zone for user in colleagues if user.id == principal.id), UTC_ZONE)
    speaks = speaks_for_others(principal)
    return page(
        request,
        "delegations/form.html",
        status=refusal.status if refusal else 200,
        principal=principal,
        section="delegations",
        away=[(principal.id, f"{principal.name} (you)"), *others] if speaks else [],
        others=[(principal.id, principal.name), *others] if speaks else others,
        zone=None if speaks else mine,
        values=values,
        errors=refusal.errors if refusal else {},
        error=refusal,
        key=refusal.key(values) if refusal else new_key(),
    )
