"""Hand-offs: what waits to be accepted, customers to follow up, renewals to come; and one hand-off's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.commands import CommandsDep
from api.handoff_commands import HandOffCommandsDep
from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web.filters import new_key, plural
from api.web.forms import FormDep, Refusal, WebRoute, safe_path
from api.web.handoff_forms import FORMS, Asked, HandOffForm, may_answer, may_take, offered
from api.web.lists import Cursor
from api.web.rendering import go, page
from db import handoff as handoffs
from db.handoff import Listed, Sort, Wanted
from db.pages import Page, PageRequest
from domain.errors import NoHandOff, NotFound, TandemError
from domain.handoff import commands as ask
from domain.handoff.state import Health, Progress
from domain.opportunity.state import Opportunity
from domain.playbook import HANDOFF
from domain.principal import Principal, Side

router = APIRouter(prefix="/handoffs", include_in_schema=False, route_class=WebRoute)

PER_PAGE = 50
RENEWALS_AHEAD = timedelta(days=180)
"""How far ahead the page looks for renewals."""
Scope = Literal["waiting", "mine", "follow-ups", "renewals", "all"]
SCOPES: tuple[tuple[Scope, str], ...] = (
    ("waiting", "To accept"),
    ("mine", "Mine"),
    ("follow-ups", "Follow-ups"),
    ("renewals", "Renewals"),
    ("all", "All"),
)
TONES = {Health.GOOD: "won", Health.AT_RISK: "on_hold", Health.BAD: "lost"}
_ASKED = (Progress.PREPARING, Progress.WAITING, Progress.RETURNED)


def _wanted(scope: Scope, principal: Principal) -> Wanted:
    match scope:
        case "waiting":
            return Wanted(progress=_ASKED)
        case "mine":
            return Wanted(progress=(*_ASKED, Progress.ACCEPTED), receiver_id=principal.id)
        case "follow-ups":
            return Wanted(progress=(Progress.ACCEPTED,), awaited=True)
        case "renewals":
            before = (datetime.now(UTC) + RENEWALS_AHEAD).date()
            return Wanted(renewal_before=before, sort=Sort.RENEWAL)
        case _:
            return Wanted(sort=Sort.LATEST)


def _summary(scope: Scope, found: Page[Listed]) -> str:
    """How it stands, in a sentence."""
    many = f"{plural(len(found.items), 'hand-off')}{' and more' if found.next_cursor else ''}"
    if not found.items:
        return "Nothing here."
    overdue = sum(each.due_at is not None and each.due_at < datetime.now(UTC) for each in found.items)
    late = f", {overdue} of them overdue" if overdue else ""
    ready = sum(each.progress is Progress.WAITING for each in found.items)
    return {
        "waiting": f"{many} not accepted yet: {ready} complete{late}.",
        "mine": f"{many} with you{late}.",
        "follow-ups": f"{many} with a follow-up that is due.",
        "renewals": f"{many} to be renewed in the next {RENEWALS_AHEAD.days} days.",
        "all": f"{many}.",
    }[scope]


@router.get("")
async def index(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    scope: Scope = "waiting",
    cursor: Cursor = None,
) -> Response:
    """What waits to be accepted, the least time left first; mine; follow-ups; renewals to come."""
    async with database.read() as session:
        found = await handoffs.page(
            session, principal, PageRequest(PER_PAGE, cursor), _wanted(scope, principal)
        )
    more = request.url.include_query_params(cursor=found.next_cursor) if found.next_cursor else None
    inside = principal.side is Side.VENDOR
    return page(
        request,
        "handoffs/index.html",
        principal=principal,
        section="handoffs",
        scope=scope,
        scopes=[each for each in SCOPES if inside or each[0] in ("waiting", "renewals", "all")],
        rows=found.items,
        summary=_summary(scope, found),
        tones=TONES,
        more_url=f"{more.path}?{more.query}" if more else None,
    )


@router.get("/{opportunity_id}")
async def read(
    opportunity_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    deals: CommandsDep,
) -> Response:
    """One hand-off: what was handed over, who receives it, follow-ups, and when it is renewed."""
    deal = await deals.read(opportunity_id)
    if deal.handoff is None:
        raise NoHandOff(f"“{deal.title}” is not won: its hand-off begins when it is.")
    async with database.read() as session:
        process = await handoffs.find(session, principal, opportunity_id)
    inside = principal.side is Side.VENDOR
    return page(
        request,
        "handoffs/page.html",
        principal=principal,
        section="handoffs",
        deal=deal,
        process=process,
        inside=inside,
        lanes=_lanes(deal),
        follow_ups=sorted(process.follow_ups, key=lambda each: each.due_at) if process and inside else [],
        forms=offered(process, principal),
        may_take=may_take(process, principal),
        may_answer=may_answer(process, principal),
        tones=TONES,
    )


def _lanes(deal: Opportunity) -> list[tuple[str, str, list[Any]]]:
    """The checklist by side."""
    tasks = [task for task in deal.tasks.values() if task.stage == HANDOFF]
    titles = ((Side.VENDOR, "Vendor"), (Side.PARTNER, "Partners"))
    return [(side.value, title, [task for task in tasks if task.side is side]) for side, title in titles]


@router.post("/{opportunity_id}/take")
async def take(
    opportunity_id: UUID, request: Request, commands: HandOffCommandsDep, form: FormDep
) -> Response:
    """Receive it oneself."""
    who = commands.principal
    me = ask.Candidate(id=who.id, name=who.name, roles=tuple(sorted(who.roles)))
    back = form.back(_page(opportunity_id))
    try:
        await commands.change(opportunity_id, ask.Assign(to=me))
    except TandemError as error:
        return go(request, back, error.detail, "error")
    return go(request, back, "It is yours now.")


@router.get("/{opportunity_id}/{name}")
async def ask_for(
    opportunity_id: UUID,
    name: str,
    request: Request,
    database: DatabaseDep,
    commands: HandOffCommandsDep,
    of: Annotated[str, Query(max_length=60)] = "",
    back: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The form of a command."""
    form = _form(name)
    asked = Asked(await commands.read(opportunity_id), commands.principal, database, of)
    return await _sheet(request, form, asked, safe_path(back, _page(opportunity_id)))


@router.post("/{opportunity_id}/{name}")
async def give(
    opportunity_id: UUID,
    name: str,
    request: Request,
    database: DatabaseDep,
    commands: HandOffCommandsDep,
    typed: FormDep,
) -> Response:
    """Give the command; a refusal shows the form again."""
    form = _form(name)
    asked = Asked(await commands.read(opportunity_id), commands.principal, database)
    back = typed.back(_page(opportunity_id))
    try:
        await commands.change(opportunity_id, await form.command(asked, typed), typed.precondition)
    except TandemError as error:
        now = Asked(await commands.read(opportunity_id), commands.principal, database)
        return await _sheet(request, form, now, back, typed.values, Refusal.of(error))
    return go(request, back, form.done)


def _form(name: str) -> HandOffForm:
    form = FORMS.get(name)
    if form is None:
        raise NotFound("A hand-off knows no such command.")
    return form


async def _sheet(
    request: Request,
    form: HandOffForm,
    asked: Asked,
    back: str,
    values: Mapping[str, Any] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    process = asked.process
    return page(
        request,
        "opportunities/action.html",
        status=refusal.status if refusal else 200,
        principal=asked.principal,
        section="handoffs",
        sheet=form.sheet(),
        subject=process.facts.title,
        href=f"{_page(process.facts.id)}/{form.name}",
        back=back,
        fields=await form.fields(asked),
        key=refusal.key(values or {}) if refusal else new_key(),
        version=None,
        values=form.initial(asked) if values is None else values,
        errors=refusal.errors if refusal else {},
        error=refusal,
    )


def _page(opportunity_id: UUID) -> str:
    return f"/handoffs/{opportunity_id}"
