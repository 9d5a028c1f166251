"""Approvals: the inbox, one request with all it takes to decide on it, and the commands as small forms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.approval_commands import PageApprovalCommandsDep
from api.etag import Precondition
from api.principal import PrincipalDep
from api.services import DatabaseDep
from api.web import approval_inbox, approval_page, approval_view
from api.web.approval_forms import FORMS, AskedOf, VerbForm
from api.web.filters import new_key, plural
from api.web.forms import Form, FormDep, Refusal, WebRoute, safe_path
from api.web.lists import Cursor
from api.web.rendering import go, page
from domain.approval import commands as ask
from domain.approval.verbs import Verb, verbs
from domain.errors import InvalidInput, NotFound, TandemError

router = APIRouter(prefix="/approvals", include_in_schema=False, route_class=WebRoute)

INBOX = "/approvals"
MOST_AT_ONCE = 50
Scope = Literal["mine", "open", "ended"]


@router.get("")
async def inbox(
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    scope: Scope = "mine",
    cursor: Cursor = None,
) -> Response:
    """What waits for me, the least time left first; or everything that is open, or has ended."""
    found = await approval_inbox.read(database, principal, scope, cursor)
    more = request.url.include_query_params(cursor=found.next_cursor) if found.next_cursor else None
    return page(
        request,
        "approvals/index.html",
        principal=principal,
        section="approvals",
        scope=scope,
        scopes=(("mine", "For me"), ("open", "Open"), ("ended", "Decided")),
        rows=found.rows,
        summary=approval_inbox.summary(found.rows, scope, datetime.now(UTC)),
        several=sum(row.may_join for row in found.rows),
        more_url=f"{more.path}?{more.query}" if more else None,
    )


@router.post("/approve")
async def approve_several(
    request: Request, principal: PrincipalDep, commands: PageApprovalCommandsDep, form: FormDep
) -> Response:
    """Approve those that were chosen, each as it was seen; what is refused stays, and is said."""
    chosen = _chosen(form)
    done, refused = 0, []
    for approval_id, seen in chosen.items():
        each = commands.numbered(str(approval_id))
        try:
            await approval_inbox.demand_several(commands.services.database, principal, approval_id)
            await each.change_as_read(approval_id, ask.Approve(comment=form.get("comment")), seen)
            done += 1
        except TandemError as error:
            refused.append(error.detail)
    words = [f"You approved {plural(done, 'request')}."] if done else []
    words += [f"{plural(len(refused), 'request')} not approved: {refused[0]}"] if refused else []
    return go(
        request,
        INBOX,
        " ".join(words) or "Choose requests first.",
        "success" if done and not refused else "error",
    )


def _chosen(form: Form) -> dict[UUID, Precondition]:
    """The chosen requests, with the version that the list showed."""
    found = {}
    for name, version in form.values.items():
        if name.startswith("seen-"):
            try:
                found[UUID(name.removeprefix("seen-"))] = Precondition(frozenset({version}))
            except ValueError as wrong:
                raise InvalidInput("Choose requests from the list.") from wrong
    return dict(list(found.items())[:MOST_AT_ONCE])


@router.get("/{approval_id}")
async def read(
    approval_id: UUID,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    commands: PageApprovalCommandsDep,
) -> Response:
    """One request: what is asked, what it comes to, how the like was decided, and who is to decide."""
    approval = await commands.read(approval_id)
    shown = await approval_page.gather(database, principal, approval)
    return page(
        request,
        "approvals/page.html",
        principal=principal,
        section="approvals",
        approval=approval,
        shown=shown,
        buttons=[FORMS[verb] for verb in verbs(approval, principal)],
        tones=approval_view.TONES,
    )


@router.get("/{approval_id}/{verb}")
async def ask_for(
    approval_id: UUID,
    verb: str,
    request: Request,
    database: DatabaseDep,
    commands: PageApprovalCommandsDep,
    back: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """The form of a command."""
    form = _form(verb)
    asked = AskedOf(await commands.read(approval_id), commands.principal, database)
    return await _sheet(request, form, asked, safe_path(back, _page(approval_id)))


@router.post("/{approval_id}/{verb}")
async def give(
    approval_id: UUID,
    verb: str,
    request: Request,
    database: DatabaseDep,
    commands: PageApprovalCommandsDep,
    typed: FormDep,
) -> Response:
    """Give the command; a refusal shows the form again, with the request as it is by now."""
    form = _form(verb)
    asked = AskedOf(await commands.read(approval_id), commands.principal, database)
    back = typed.back(_page(approval_id))
    try:
        command = await form.command(asked, typed)
        after = await commands.change_as_read(approval_id, command, typed.precondition)
    except TandemError as error:
        now = await commands.read(approval_id)
        if not now.is_open:  # what was typed is for nothing: say so where one sees how it ended
            return go(request, _page(approval_id), approval_view.too_late(now), "error")
        fresh = AskedOf(now, commands.principal, database)
        return await _sheet(request, form, fresh, back, typed.values, Refusal.of(error))
    return go(request, back, approval_view.outcome(after, form.verb))


def _form(verb: str) -> VerbForm:
    try:
        return FORMS[Verb(verb)]
    except ValueError as unknown:
        raise NotFound("A request knows no such command.") from unknown


async def _sheet(
    request: Request,
    form: VerbForm,
    asked: AskedOf,
    back: str,
    values: Mapping[str, Any] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    approval = asked.approval
    return page(
        request,
        "approvals/action.html",
        status=refusal.status if refusal else 200,
        principal=asked.principal,
        section="approvals",
        sheet=form.sheet(approval),
        subject=approval.title,
        href=f"{_page(approval.id)}/{form.verb.value}",
        back=back,
        fields=await form.fields(asked),
        key=refusal.key(values or {}) if refusal else new_key(),
        version=approval.version,
        values=form.initial(approval) if values is None else values,
        errors=refusal.errors if refusal else {},
        error=refusal,
    )


def _page(approval_id: UUID) -> str:
    return f"/approvals/{approval_id}"
