"""The page behind a mail's way out: no more mails of these kinds, without signing in.

Reading it changes nothing, since mail programs and scanners follow links. A mail program that
ends mails by itself (RFC 8058) posts to the same address; a person presses the button.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.decision_links import LinkUnknown
from api.etag import Precondition
from api.services import ServicesDep
from api.v1.notification_preferences import NotificationPreferencesUpdate, change_preferences
from api.web.forms import Refusal
from api.web.rendering import page, quiet
from domain.errors import TandemError
from domain.notification.kinds import Channel, Mode, title
from runtime.links import Unsubscribing

router = APIRouter(prefix="/unsubscribe", include_in_schema=False)


@router.get("/{token}")
async def look(request: Request, token: str, services: ServicesDep) -> Response:
    """What would end, and the button; nothing happens."""
    try:
        return _page(request, _read(services.links.read_unsubscribe(token)), token=token, done=False)
    except TandemError as refused:
        return _sentence(request, refused)


@router.post("/{token}")
async def end(request: Request, token: str, services: ServicesDep) -> Response:
    """No more mails of these kinds; again changes nothing."""
    try:
        ending = _read(services.links.read_unsubscribe(token))
        kinds = {kind: {Channel.MAIL: Mode.OFF} for kind in ending.kinds}
        body = NotificationPreferencesUpdate(kinds=kinds)
        await change_preferences(services, ending.user_id, body, Precondition())
    except TandemError as refused:
        return _sentence(request, refused)
    return _page(request, ending, token=token, done=True)


def _read(found: Unsubscribing | None) -> Unsubscribing:
    if found is None:
        raise LinkUnknown(
            "Perhaps the mail program cut it off: copy all of it, or sign in and choose in Tandem "
            "what you are told."
        )
    return found


def _page(request: Request, ending: Unsubscribing, **context: Any) -> Response:
    kinds = [title(kind) for kind in ending.kinds]
    return quiet(page(request, "unsubscribe/page.html", kinds=kinds, **context))


def _sentence(request: Request, refused: TandemError) -> Response:
    """Why the link leads nowhere, and where to go."""
    return quiet(
        page(request, "decisions/closed.html", status=refused.status, refused=Refusal.of(refused)), refused
    )
