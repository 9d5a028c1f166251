"""The page behind a link in a mail: see a request and decide on it without signing in.

Reading it changes nothing, since mail programs and scanners follow links. The token is in
the body of the form, so that no other site can send it, and no address tells it on.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api import decision_links, sessions
from api.decision_links import Opened
from api.services import Services, ServicesDep
from api.v1.approval_inputs import ApproveBody, CounterBody, RejectBody, ReturnBody
from api.web.approval_facts import facts_of
from api.web.forms import Form, FormDep, Refusal, parse
from api.web.rendering import page, quiet
from db import approval as approvals
from domain.approval import commands as ask
from domain.errors import InvalidInput, StaleVersion, TandemError, Unavailable
from domain.principal import Principal

router = APIRouter(prefix="/decide", include_in_schema=False)

_BODIES: dict[str, type[ApproveBody | CounterBody | RejectBody | ReturnBody]] = {
    "approve": ApproveBody,
    "counter": CounterBody,
    "reject": RejectBody,
    "return": ReturnBody,
}


@router.get("/{token}")
async def look(request: Request, token: str, services: ServicesDep) -> Response:
    """The request and the choices; nothing happens."""
    try:
        opened = await _open(request, services, token)
        return await _form(request, services, opened, token)
    except TandemError as refused:
        return _sentence(request, refused)


@router.post("")
async def choose(request: Request, services: ServicesDep, form: FormDep) -> Response:
    """Decide as the person whom the link was sent to."""
    token = form.get("token") or ""
    try:
        opened = await _open(request, services, token)
        try:
            after = await decision_links.decide(services, opened, _command(form, opened), _version(form))
        except (InvalidInput, StaleVersion, Unavailable) as refused:
            again = await _open(request, services, token)
            return await _form(request, services, again, token, form, refused)
    except TandemError as refused:
        return _sentence(request, refused)
    said = decision_links.decided(after, opened)
    return quiet(page(request, "decisions/done.html", said=said, approval=after))


async def _open(request: Request, services: Services, token: str) -> Opened:
    return await decision_links.open_link(
        services, token, await _signed_in(request, services), datetime.now(UTC)
    )


async def _signed_in(request: Request, services: Services) -> Principal | None:
    """Whose browser it is, where somebody is signed in: a link does not make one into somebody else."""
    cookie = request.cookies.get(sessions.COOKIE, "")
    found = await sessions.find(services.database, cookie) if cookie else None
    return found.principal if found else None


def _command(form: Form, opened: Opened) -> ask.Decide:
    """What was chosen. Raises `InvalidInput`."""
    body = _BODIES.get(form.get("choice") or "")
    if body is None:
        raise InvalidInput(
            "Choose whether to approve, to offer less, to reject or to return it.", pointer="/choice"
        )
    if body is CounterBody:
        return _offer(form, opened)
    said = form.given("comment")
    if body in (RejectBody, ReturnBody) and not said:
        raise InvalidInput("Say why: the requester reads it.", pointer="/comment")
    return parse(body, {"step": opened.step.key, **said}).command()


def _offer(form: Form, opened: Opened) -> ask.Decide:
    """What would be granted instead. Raises `InvalidInput`."""
    percent, note = form.get("percent"), form.get("note")
    if percent is None:
        raise InvalidInput("Say how much you would grant.", pointer="/percent")
    typed = {"step": opened.step.key, "percent": percent.rstrip(" %").replace(",", ".")}
    return parse(CounterBody, {**typed, "comment": note} if note else typed).command()


def _version(form: Form) -> int | None:
    """The version that the person saw. Raises `InvalidInput`."""
    return parse(_Seen, {"version": form.get("_version")}).version


class _Seen(BaseModel):
    """What the form carries besides."""

    version: int | None = None


async def _form(
    request: Request,
    services: Services,
    opened: Opened,
    token: str,
    form: Form | None = None,
    refused: TandemError | None = None,
) -> Response:
    async with services.database.read() as session:
        approval = await approvals.get(session, opened.to.principal, opened.approval.id)
    refusal = Refusal.of(refused) if refused else None
    answer = page(
        request,
        "decisions/decide.html",
        status=refused.status if refused else 200,
        token=token,
        me=opened.to.principal,
        approval=approval,
        step=opened.step,
        seat=opened.seat,
        facts=facts_of(approval.facts),
        values=dict(form.values) if form else {},
        errors=refusal.errors if refusal else {},
        error=refusal,
    )
    return quiet(answer, refused)


def _sentence(request: Request, refused: TandemError) -> Response:
    """Why the link leads nowhere, and where to go."""
    return quiet(
        page(request, "decisions/closed.html", status=refused.status, refused=Refusal.of(refused)), refused
    )
