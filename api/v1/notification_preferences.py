"""How I want to be told: which kinds by which channel, at once or once a day, and when not."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field

from api.couriers import wake
from api.etag import Precondition, PreconditionDep, answer_version
from api.fields import Input, changes, unset
from api.principal import PrincipalDep
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.schemas import WHEN, example, example_input
from db import deliveries
from db import notification_preferences as kept
from db.notification_preferences import Wanted
from db.tables import NotificationPreference
from domain.errors import InvalidInput
from domain.notice import NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import Preferences, QuietHours
from runtime import chat
from runtime.chat import Chats

router = APIRouter(prefix="/notification-preferences", tags=["notices"], route_class=TandemRoute)

_WALL = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _wall(text: str) -> str:
    if re.search(_WALL, text) is None:
        msg = "This must be a time of day such as 08:00 or 17:30."
        raise ValueError(msg)
    return text


Wall = Annotated[str, AfterValidator(_wall), Field(examples=["08:00"], json_schema_extra={"pattern": _WALL})]
"""A time of day on one's own clock."""
Kinds = dict[NoticeKind, dict[Channel, Mode]]

_QUIET = {"starts": "20:00", "ends": "07:00"}
_CHOICE: dict[str, Any] = {"task_due": {"in_app": "at_once", "mail": "daily", "chat": "off"}}


class QuietInput(Input):
    """When nobody disturbs me, by my own clock; over midnight, where the end is earlier."""

    model_config = example_input(_QUIET)

    starts: Wall
    ends: Wall


class NotificationPreferencesUpdate(Input):
    """What is to change; what is left out stays."""

    model_config = example_input({"quiet_hours": _QUIET, "kinds": {"task_due": {"mail": "off"}}})

    digest_at: Wall = unset()
    quiet_hours: QuietInput | None = Field(default=None, description="Null: none.")
    kinds: Kinds = unset()
    chat_address: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="The webhook of my chat, as Slack, Teams … show it. A secret; null forgets it.",
    )


class QuietPublic(BaseModel):
    """When nobody disturbs me."""

    model_config = example(_QUIET)

    starts: str
    ends: str


class ChatPublic(BaseModel):
    """The chat that is written to; of its address, which is a secret, only the end."""

    model_config = example({"hint": "https://…i7FQ"})

    hint: str


class NotificationPreferencesPublic(BaseModel):
    """How I am told; `digest_at` and `quiet_hours` are by the clock of my `time_zone`."""

    model_config = example(
        {
            "version": 3,
            "time_zone": "Europe/Berlin",
            "digest_at": "08:00",
            "quiet_hours": _QUIET,
            "kinds": _CHOICE,
            "chat": {"hint": "https://…i7FQ"},
            "updated_at": WHEN,
        }
    )

    version: int
    time_zone: str
    digest_at: str
    quiet_hours: QuietPublic | None
    kinds: Kinds
    chat: ChatPublic | None
    updated_at: datetime


@router.get("")
async def read_notification_preferences(
    response: Response, principal: PrincipalDep, database: DatabaseDep
) -> NotificationPreferencesPublic:
    """How I am told, with every kind and channel."""
    async with database.read() as session:
        row, wanted = await kept.get(session, principal.id)
    answer_version(response, row.version)
    return show(row, wanted)


@router.patch("")
async def update_notification_preferences(
    body: NotificationPreferencesUpdate,
    response: Response,
    principal: PrincipalDep,
    precondition: PreconditionDep,
    services: ServicesDep,
) -> NotificationPreferencesPublic:
    """Change how I am told. What waits goes by it, too."""
    row, wanted = await change_preferences(services, principal.id, body, precondition)
    answer_version(response, row.version)
    return show(row, wanted)


async def change_preferences(
    services: Services,
    user_id: UUID,
    body: NotificationPreferencesUpdate,
    precondition: Precondition,
) -> tuple[NotificationPreference, Wanted]:
    """Keep what somebody wants from now on, and let what waits go by it. Raises errors of ours."""
    values = changes(body)
    more: dict[str, Any] = {}
    if "chat_address" in values:
        more["chat_address"] = await _checked(services, values["chat_address"])
    now = datetime.now(UTC)
    async with services.database.transaction() as session:
        row, wanted = await kept.get(session, user_id, for_change=True)
        precondition.check(row.version)
        preferences = _changed(wanted.preferences, body, values)
        row = await kept.change(session, row, preferences, now, **more)
        await deliveries.plan_anew(session, user_id, preferences, now)
        expecting = await deliveries.expecting(session, [user_id])
    if expecting:
        await wake(services, user_id)
    return row, kept.wanted(row, preferences.zone)


async def _checked(services: Services, address: str | None) -> str | None:
    if address is None:
        return None
    address = address.strip()
    try:
        await asyncio.to_thread(Chats(services.settings.chat_schemes).check, address)
    except ValueError as wrong:
        raise InvalidInput(str(wrong), pointer="/chat_address") from wrong
    return address


def _changed(
    preferences: Preferences, body: NotificationPreferencesUpdate, values: dict[str, Any]
) -> Preferences:
    """The preferences with what a body brings. Raises `InvalidInput`."""
    update: dict[str, Any] = {}
    if "digest_at" in values:
        update["digest_at"] = time.fromisoformat(body.digest_at)
    if "quiet_hours" in values:
        update["quiet"] = _quiet(body.quiet_hours)
    changed = preferences.but(**update)
    for kind, modes in (body.kinds if "kinds" in values else {}).items():
        for channel, mode in modes.items():
            if channel is Channel.IN_APP and mode is Mode.DAILY:
                raise InvalidInput(
                    "In Tandem itself you are told at once, or not: send at_once or off.",
                    pointer=f"/kinds/{kind.value}/{channel.value}",
                )
            changed = changed.chosen(kind, channel, mode)
    return changed


def _quiet(body: QuietInput | None) -> QuietHours | None:
    if body is None:
        return None
    if body.starts == body.ends:
        raise InvalidInput(
            "Quiet hours that end when they begin are none: send two times, or null.",
            pointer="/quiet_hours/ends",
        )
    return QuietHours(starts=time.fromisoformat(body.starts), ends=time.fromisoformat(body.ends))


def show(row: NotificationPreference, wanted: Wanted) -> NotificationPreferencesPublic:
    """Preferences as the API answers them."""
    preferences, address = wanted.preferences, wanted.chat_address
    quiet = preferences.quiet
    return NotificationPreferencesPublic(
        version=row.version,
        time_zone=preferences.zone,
        digest_at=f"{preferences.digest_at:%H:%M}",
        quiet_hours=QuietPublic(starts=f"{quiet.starts:%H:%M}", ends=f"{quiet.ends:%H:%M}")
        if quiet
        else None,
        kinds={
            kind: {channel: preferences.mode(kind, channel) for channel in Channel} for kind in NoticeKind
        },
        chat=ChatPublic(hint=chat.hint(address)) if address else None,
        updated_at=row.updated_at,
    )
