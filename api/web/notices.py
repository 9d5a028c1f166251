"""Notices: what I was told, newest first; for administrators, what could not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.principal import PrincipalDep, require
from api.services import DatabaseDep, ServicesDep
from api.v1.notices import send_again, send_all_again
from api.web.filters import plural
from api.web.forms import FormDep, WebRoute
from api.web.lists import Cursor
from api.web.rendering import go, page
from db import deliveries, notices
from db.pages import PageRequest
from db.tables import Notice, NoticeDelivery, User
from domain.errors import Conflict, NotFound
from domain.notice import DeliveryState, NoticeKind
from domain.notification.kinds import Channel
from domain.principal import Action, Principal

router = APIRouter(prefix="/notices", include_in_schema=False, route_class=WebRoute)

Administrator = Annotated[Principal, require(Action.MANAGE_NOTICES)]

MOST_FAILED = 20
"""How many unsent notices an administrator sees at once; sent again, they make room for others."""
_OF_HANDOFFS = frozenset(
    {
        NoticeKind.HANDOFF_OFFERED,
        NoticeKind.HANDOFF_RETURNED,
        NoticeKind.HANDOFF_ACCEPTED,
        NoticeKind.FOLLOW_UP_DUE,
        NoticeKind.RENEWAL_OPENED,
    }
)
_ICONS = {
    NoticeKind.APPROVED: "circle-check",
    NoticeKind.REJECTED: "circle-x",
    NoticeKind.RETURNED: "undo-2",
    NoticeKind.COUNTERED: "arrow-right-left",
    NoticeKind.RECALLED: "ban",
    NoticeKind.EXPIRED: "hourglass",
    NoticeKind.INFORMATION: "info",
    NoticeKind.DECISION_REMINDER: "clock",
    NoticeKind.DECISION_ESCALATED: "triangle-alert",
    NoticeKind.TASK_ASSIGNED: "user-check",
    NoticeKind.TASK_DUE: "square-check-big",
    NoticeKind.CHECK_IN_DUE: "calendar",
    NoticeKind.CHECK_IN_MISSED: "calendar-clock",
    NoticeKind.STAGE_OVERDUE: "clock",
    NoticeKind.CLOSE_NEAR: "flag",
    NoticeKind.STALE: "moon",
    NoticeKind.GRANT_ENDING: "hourglass",
    NoticeKind.ESCALATED: "triangle-alert",
    NoticeKind.TRIGGERED: "zap",
    NoticeKind.HANDOFF_OFFERED: "package-check",
    NoticeKind.HANDOFF_RETURNED: "undo-2",
    NoticeKind.HANDOFF_ACCEPTED: "handshake",
    NoticeKind.FOLLOW_UP_DUE: "message-square",
    NoticeKind.RENEWAL_OPENED: "rotate-ccw",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A notice as the page shows it."""

    notice: Notice
    failed: bool

    @property
    def asks(self) -> bool:
        return NoticeKind(self.notice.kind).asks

    @property
    def icon(self) -> str:
        return _ICONS.get(NoticeKind(self.notice.kind), "shield-check")

    @property
    def href(self) -> str:
        """Where to go from here."""
        if self.notice.approval_id is not None:
            return f"/approvals/{self.notice.approval_id}"
        deal = self.notice.opportunity_id
        if deal is not None and self.notice.kind in _OF_HANDOFFS:
            return f"/handoffs/{deal}"
        return f"/opportunities/{deal}" if deal else f"/notices#notice-{self.notice.id}"


@dataclass(frozen=True, slots=True)
class Unsent:
    """A notice that could not be sent by a channel, and why."""

    notice: Notice
    user: User
    channel: Channel
    error: str | None


@router.get("")
async def my_notices(
    request: Request,
    principal: PrincipalDep,
    services: ServicesDep,
    cursor: Cursor = None,
) -> Response:
    """The page."""
    async with services.database.read() as session:
        found = await notices.page(session, principal, PageRequest(50, cursor))
        unread = await notices.unread_count(session, principal)
        sent = await deliveries.of_notices(session, [notice.id for notice in found.items])
        failed = await _failed(session, principal)
    more = request.url.include_query_params(cursor=found.next_cursor) if found.next_cursor else None
    return page(
        request,
        "notices/index.html",
        principal=principal,
        section="notices",
        rows=[Row(notice, _is_failed(sent[notice.id])) for notice in found.items],
        unread=unread,
        summary=summary(unread, told=bool(found.items)),
        mails=services.settings.smtp_url is not None,
        failed=failed[:MOST_FAILED],
        more_failed=len(failed) > MOST_FAILED,
        more_url=f"{more.path}?{more.query}" if more else None,
    )


async def _failed(session: AsyncSession, principal: Principal) -> list[Unsent]:
    """What could not be sent, for administrators."""
    if not principal.may(Action.MANAGE_NOTICES):
        return []
    found = (await deliveries.failed(session, PageRequest(MOST_FAILED + 1))).items
    sent = await deliveries.of_notices(session, [notice.id for notice, _ in found])
    return [
        Unsent(notice, user, channel, row.error)
        for notice, user in found
        for channel, row in sent[notice.id].items()
        if row.state == DeliveryState.FAILED
    ]


def _is_failed(sent: Mapping[Channel, NoticeDelivery]) -> bool:
    return any(row.state == DeliveryState.FAILED for row in sent.values())


def summary(unread: int, *, told: bool) -> str:
    """How it stands, in a sentence."""
    if unread >= notices.MOST_COUNTED:
        return f"You have not read {notices.MOST_COUNTED} notices or more."
    if unread:
        return f"You have not read {plural(unread, 'notice')}."
    return "You have read all of them." if told else "Nothing has concerned you so far."


@router.post("/read")
async def read_all(request: Request, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """Mark all as read."""
    async with database.transaction() as session:
        await notices.mark_all_read(session, principal, datetime.now(UTC))
    return go(request, "/notices", "All notices are marked as read.")


@router.post("/{notice_id}/read")
async def read(
    request: Request, notice_id: UUID, principal: PrincipalDep, database: DatabaseDep, form: FormDep
) -> Response:
    """Mark one as read."""
    async with database.transaction() as session:
        await notices.mark_read(session, principal, notice_id, datetime.now(UTC))
    return go(request, form.back("/notices"))


@router.post("/resend")
async def resend_all(request: Request, _admin: Administrator, services: ServicesDep) -> Response:
    """Send again all that could not be sent."""
    try:
        await send_all_again(services)
    except Conflict as refused:
        return go(request, "/notices", refused.detail, "error")
    return go(request, "/notices", "All that could not be sent is sent again.")


@router.post("/{notice_id}/resend")
async def resend(request: Request, notice_id: UUID, _admin: Administrator, services: ServicesDep) -> Response:
    """Send again what could not be sent."""
    try:
        _, user = await send_again(services, notice_id)
    except (Conflict, NotFound) as refused:
        return go(request, "/notices", refused.detail, "error")
    return go(request, "/notices", f"The message to {user.name} is sent again.")
