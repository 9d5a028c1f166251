"""How somebody wants the pages to look: kept in the browser, without an account."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from api.web.forms import FormDep
from api.web.rendering import THEME_COOKIE, THEMES

router = APIRouter(prefix="/preferences", include_in_schema=False)
A_YEAR = 365 * 24 * 3600


@router.post("/theme")
async def choose_theme(form: FormDep) -> Response:
    """Light, dark, or as the system has it; anything else changes nothing."""
    response = RedirectResponse(form.back("/"), status_code=303)
    wanted = form.get("theme")
    if wanted in THEMES:
        response.set_cookie(THEME_COOKIE, str(wanted), max_age=A_YEAR, samesite="lax", httponly=True)
    return response
