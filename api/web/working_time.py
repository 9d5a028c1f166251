"""One's own working time: the time zone, the hours of a week, and whose public holidays are free."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request, Response

from api.etag import Precondition
from api.principal import PrincipalDep
from api.services import DatabaseDep, ServicesDep
from api.v1.users import UserUpdate, change_user
from api.web.filters import new_key
from api.web.forms import Form, FormDep, Refusal, WebRoute, parse
from api.web.rendering import go, page
from db import people
from db.tables import User
from domain.calendar import OFFICE_HOURS, Weekday, zones
from domain.errors import TandemError
from domain.principal import Principal

router = APIRouter(prefix="/working-time", include_in_schema=False, route_class=WebRoute)

DAYS = tuple(
    zip(
        Weekday,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)


@router.get("")
async def read(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """The form, with what holds now."""
    async with database.read() as session:
        user, _ = await people.get(session, principal, principal.id)
    return _form(request, principal, _values(user), user.version)


@router.post("")
async def change(request: Request, principal: PrincipalDep, services: ServicesDep, form: FormDep) -> Response:
    """Keep what was typed."""
    try:
        body = parse(UserUpdate, _typed(form))
        precondition = form.precondition or Precondition()
        await change_user(request, services, principal, principal.id, body, precondition)
    except TandemError as error:
        async with services.database.read() as session:
            user, _ = await people.get(session, principal, principal.id)
        return _form(request, principal, form.values, user.version, Refusal.of(error))
    return go(request, "/working-time", "Your working time is kept.")


def _typed(form: Form) -> dict[str, Any]:
    """What was typed as the API takes it: `9:00 – 12:30, 13:30-17:00` is two hours of a day."""
    typed: dict[str, Any] = {name: form.get(name) for name in ("country", "region")}
    typed["time_zone"] = form.get("time_zone") or ""
    if typed["country"]:
        typed["country"] = typed["country"].upper()
    written = {day: form.get(f"working_hours_{day}") for day, _ in DAYS}
    hours = {day.value: _hours(text) for day, text in written.items() if text}
    office = {day.value: list(each) for day, each in OFFICE_HOURS.items()}
    typed["working_hours"] = None if hours == office else hours
    return typed


def _hours(text: str) -> list[str]:
    plain = re.sub(r"\s*[–—-]\s*", "-", text)
    return [re.sub(r"(?<!\d)(\d):", r"0\1:", each) for each in re.split(r"[\s,;]+", plain) if each]


def _values(user: User) -> dict[str, Any]:
    hours: Any = user.working_hours or OFFICE_HOURS
    written = {f"working_hours_{day}": ", ".join(hours.get(day, ())) for day, _ in DAYS}
    return {"time_zone": user.time_zone, "country": user.country, "region": user.region, **written}


def _form(
    request: Request, principal: Principal, values: Any, version: int, refusal: Refusal | None = None
) -> Response:
    return page(
        request,
        "working_time/form.html",
        status=refusal.status if refusal else 200,
        principal=principal,
        section="working-time",
        zones=sorted(zones()),
        days=DAYS,
        values=values,
        version=version,
        errors=refusal.errors if refusal else {},
        error=refusal,
        key=refusal.key(values) if refusal else new_key(),
    )
