"""The pages: routes that answer HTML, over the same commands and reads as the JSON API."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from api.problems import Problem
from api.web import (
    accounts,
    approvals,
    calendar,
    deal_actions,
    decisions,
    delegations,
    discounts,
    exchange_rates,
    handoffs,
    notices,
    notifications,
    opportunities,
    partners,
    pipeline,
    playbooks,
    policies,
    preferences,
    products,
    session,
    unsubscribe,
    work,
    working_time,
)
from api.web.filters import STATIC
from api.web.rendering import page

UNAUTHENTICATED = 401
FOR_EVER = "public, max-age=31536000, immutable"


class Assets(StaticFiles):
    """Static files. An address with a fingerprint (`?v=`) never changes what it holds."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"") or path.endswith(".woff2")
        response.headers["Cache-Control"] = FOR_EVER if versioned else "public, max-age=300"
        return response


def install(app: FastAPI) -> None:
    """Serve the pages and their assets, and answer problems of pages as pages."""
    app.mount("/static", Assets(directory=STATIC), name="static")
    for each in (
        session, preferences, work, pipeline, opportunities, deal_actions, partners, accounts, playbooks,
        products, exchange_rates, notices, approvals, discounts, policies, decisions, delegations,
        working_time, handoffs, calendar, notifications, unsubscribe,
    ):  # fmt: skip
        app.include_router(each.router)
    app.include_router(calendar.files)
    app.state.problem_page = problem_page


def problem_page(request: Request, problem: Problem) -> Response:
    """What went wrong, as a page with a way on; who is not signed in may do so first."""
    if problem.status == UNAUTHENTICATED:
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        onward = urlencode({"next": there}) if request.method == "GET" and there != "/" else ""
        return RedirectResponse(f"/sign-in?{onward}".rstrip("?"), status_code=303)
    return page(
        request,
        "problems/problem.html",
        status=problem.status,
        principal=getattr(request.state, "principal", None),
        problem=problem,
    )
