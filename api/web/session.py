"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api import sessions
from api.services import Services, ServicesDep
from api.web.approvals import INBOX
from api.web.forms import FormDep, Refusal, safe_path
from api.web.rendering import page
from domain.errors import TandemError, Unauthenticated
from domain.principal import Role

router = APIRouter(include_in_schema=False)

HOME = "/"


@router.get("/sign-in")
async def ask(request: Request, services: ServicesDep, next: str = "/") -> Response:  # noqa: A002 - its name in the address
    """The form; somebody who is signed in already goes on."""
    token = request.cookies.get(sessions.COOKIE, "")
    if token and await sessions.find(services.database, token):
        return RedirectResponse(safe_path(next, "/"), status_code=303)
    return page(request, "session/sign_in.html", next=safe_path(next, "/"), values={"email": ""}, errors={})


@router.post("/sign-in")
async def sign_in(request: Request, services: ServicesDep, form: FormDep) -> Response:
    """Open a session, or say in one sentence why not."""
    onward = safe_path(form.get("next"), HOME)
    email = form.values.get("email", "")
    address = request.client.host if request.client else ""
    try:
        token = await sessions.sign_in(
            services.database,
            services.throttle,
            email=email,
            password=form.values.get("password", ""),
            address=address,
        )
    except TandemError as error:
        refusal = Refusal.of(error)
        if isinstance(error, Unauthenticated):
            refusal = Refusal("That did not work", f"{error.detail} Check both and try again.", error.status)
        answer = page(
            request,
            "session/sign_in.html",
            status=error.status,
            next=onward,
            values={"email": email},
            errors={},
            error=refusal,
        )
        if "retry_after" in error.extra:
            answer.headers["Retry-After"] = str(error.extra["retry_after"])
        return answer
    if onward == HOME:
        onward = await _home(services, token)
    response = RedirectResponse(onward, status_code=303)
    sessions.set_cookie(request, response, token)
    return response


async def _home(services: Services, token: str) -> str:
    """Where somebody's day begins: the deal desk's with what waits for its decision."""
    found = await sessions.find(services.database, token)
    return INBOX if found is not None and Role.DEAL_DESK in found.principal.roles else HOME


@router.post("/sign-out")
async def sign_out(request: Request, services: ServicesDep) -> Response:
    """End the session, here and on the server."""
    await sessions.sign_out(services.database, request.cookies.get(sessions.COOKIE, ""))
    response = RedirectResponse("/sign-in", status_code=303)
    sessions.clear_cookie(response)
    return response
