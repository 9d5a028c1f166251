"""Pages: the Jinja environment, what every page knows, and the answers that carry them.

A page is one template, always rendered in full: what refreshes itself takes its regions out
of it (`data-live` in the templates, `static/tandem/tandem.js`). Pages carry a content security
policy that allows no inline script and no inline style.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.problems import RETRY_AFTER_SECONDS
from api.web.filters import FILTERS, GLOBALS
from domain.errors import TandemError, Unavailable

TEMPLATES = Path(__file__).parents[2] / "templates"
THEMES = ("system", "light", "dark")
THEME_COOKIE = "tandem_theme"
FLASH_COOKIE = "tandem_flash"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "same-origin",
    "Vary": "HX-Request, Cookie",
    "X-Content-Type-Options": "nosniff",
}
_QUIET = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
FlashKind = Literal["success", "info", "error"]


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, which escape what they print and fail on a name that nobody gave them."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(GLOBALS)
    return made


def flashes(request: Request) -> list[dict[str, str]]:
    """What the request before wanted to be said; a cookie that is not ours says nothing.

    A page that only refreshes itself (`Tandem-Live`) leaves it for the page that somebody waits for.
    """
    if "Tandem-Live" in request.headers:
        return []
    try:
        said = json.loads(base64.urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, "")))
        return [{"kind": str(item["kind"]), "text": str(item["text"])} for item in said]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def theme(request: Request) -> str:
    """Light, dark, or as the reader's system has it."""
    wanted = request.cookies.get(THEME_COOKIE, "system")
    return wanted if wanted in THEMES else "system"


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """Answer the template as a page."""
    known = {
        "principal": None,
        "section": "",
        "error": None,
        "theme": theme(request),
        "flashes": flashes(request),
        "counts": getattr(request.state, "counts", {}),
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    }
    response = HTMLResponse(_rendered(template, known | context), status_code=status, headers=HEADERS)
    if known["flashes"]:
        response.delete_cookie(FLASH_COOKIE)
    return response


def _rendered(name: str, values: dict[str, Any]) -> str:
    """The template's text. All that it shows is let go with it.

    A macro in a template and the values of the page hold each other. As `Template.render` leaves them they
    are found at the next look for garbage, those of fifty boards at once: somebody waits 25 ms for that.
    """
    template = environment().get_template(name)
    context = template.new_context(values)
    try:
        return "".join(template.root_render_func(context))
    except Exception:  # noqa: BLE001  as `Template.render`: says where in which template, and raises it again
        environment().handle_exception()
    finally:
        context.vars.clear()


def go(request: Request, to: str, said: str | None = None, kind: FlashKind = "success") -> Response:
    """Answer a form that was done: go and see the page, which says `said` once.

    htmx is sent there without leaving the page, and stays where it has scrolled to.
    """
    response: Response
    if request.headers.get("HX-Request") == "true":
        where = json.dumps({"path": to, "target": "body", "swap": "innerHTML show:none"})
        response = Response(status_code=200, headers={"HX-Location": where})
    else:
        response = RedirectResponse(to, status_code=303)
    if said:
        text = base64.urlsafe_b64encode(json.dumps([{"kind": kind, "text": said}]).encode()).decode()
        response.set_cookie(FLASH_COOKIE, text, max_age=60, httponly=True, samesite="lax")
    return response


def quiet(response: Response, refused: TandemError | None = None) -> Response:
    """The answer behind a link of a mail: nothing tells its address on, keeps it or finds it."""
    response.headers.update(_QUIET)
    if isinstance(refused, Unavailable):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
