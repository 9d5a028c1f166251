"""Notification preferences: the page on which everybody chooses how to be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.etag import Precondition
from api.principal import PrincipalDep
from api.services import DatabaseDep, Services, ServicesDep, services_of
from api.v1.notification_preferences import (
    NotificationPreferencesPublic,
    NotificationPreferencesUpdate,
    change_preferences,
    show,
)
from api.web.forms import Form, FormDep, Refusal, WebRoute, form_page, parse
from api.web.rendering import go
from db import notification_preferences as kept
from domain.errors import InvalidInput, TandemError
from domain.notice import NoticeKind
from domain.notification.kinds import TITLES, Channel, Mode
from domain.opportunity.wording import listed
from domain.principal import Principal
from runtime import chat

router = APIRouter(prefix="/notifications", include_in_schema=False, route_class=WebRoute)

CHANNELS = ((Channel.IN_APP, "In Tandem"), (Channel.MAIL, "By mail"), (Channel.CHAT, "In a chat"))
_MODES = ((Mode.AT_ONCE, "At once"), (Mode.DAILY, "Daily"), (Mode.OFF, "Not"))


@router.get("")
async def read(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """The form, with what holds now."""
    async with database.read() as session:
        shown = show(*await kept.get(session, principal.id))
    return _form(request, principal, shown, _values(shown))


@router.post("")
async def change(request: Request, principal: PrincipalDep, services: ServicesDep, form: FormDep) -> Response:
    """Keep what was chosen."""
    try:
        body = parse(NotificationPreferencesUpdate, _typed(form))
        await change_preferences(services, principal.id, body, form.precondition or Precondition())
    except TandemError as error:
        return await _again(request, principal, services, form, Refusal.of(error))
    return go(request, "/notifications", "You are told like this from now on.")


async def _again(
    request: Request, principal: Principal, services: Services, form: Form, refusal: Refusal
) -> Response:
    """The form with what was typed, but for the secret."""
    async with services.database.read() as session:
        shown = show(*await kept.get(session, principal.id))
    values = {name: value for name, value in form.values.items() if name != "chat_address"}
    return _form(request, principal, shown, values, refusal)


def _typed(form: Form) -> dict[str, Any]:
    """What was chosen as the API takes it. Raises `InvalidInput`."""
    starts, ends = form.get("quiet_starts"), form.get("quiet_ends")
    if (starts is None) != (ends is None):
        raise InvalidInput("Quiet hours need both times; leave both out for none.", pointer="/quiet_hours")
    chosen = {
        kind.value: {
            channel.value: form.get(field_of(kind, channel))
            for channel in Channel
            if form.get(field_of(kind, channel))
        }
        for kind in NoticeKind
    }
    typed: dict[str, Any] = {
        **form.given("digest_at", "chat_address"),
        "quiet_hours": {"starts": starts, "ends": ends} if starts else None,
        "kinds": chosen,
    }
    if form.get("chat_forget"):
        typed["chat_address"] = None
    return typed


def field_of(kind: NoticeKind, channel: Channel) -> str:
    """The name of the form's field for a kind and channel."""
    return f"{kind.value}_{channel.value}"


def _values(shown: NotificationPreferencesPublic) -> dict[str, Any]:
    quiet = shown.quiet_hours
    modes = {
        field_of(kind, channel): mode.value
        for kind, by_channel in shown.kinds.items()
        for channel, mode in by_channel.items()
    }
    return {
        "digest_at": shown.digest_at,
        "quiet_starts": quiet.starts if quiet else None,
        "quiet_ends": quiet.ends if quiet else None,
        **modes,
    }


def _form(
    request: Request,
    principal: Principal,
    shown: NotificationPreferencesPublic,
    values: Mapping[str, Any],
    refusal: Refusal | None = None,
) -> Response:
    return form_page(
        request,
        "notifications/form.html",
        values,
        refusal,
        principal=principal,
        section="notifications",
        groups=TITLES,
        channels=CHANNELS,
        modes={channel: _modes(channel) for channel in Channel},
        field_of=field_of,
        preferences=shown,
        chat_hint=_chat_hint(request),
    )


def _chat_hint(request: Request) -> str:
    """Which chats an administrator allows; the address comes from there."""
    allowed = chat.names(services_of(request).settings.chat_schemes)
    if not allowed:
        return "No chats are allowed here."
    return f"As {listed(allowed, 'or')} shows it. It is a secret, and never shown again."


def _modes(channel: Channel) -> list[tuple[Mode, str]]:
    return [
        (mode, words) for mode, words in _MODES if channel is not Channel.IN_APP or mode is not Mode.DAILY
    ]
