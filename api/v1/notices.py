"""What I was told; for administrators, what could not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.couriers import wake
from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep, Services, ServicesDep
from api.v1.opportunity_shapes import DEAL
from api.v1.schemas import USER_ID, WHEN, example
from db import deliveries, notices
from db.tables import Notice, NoticeDelivery, User
from domain.errors import Conflict, Forbidden
from domain.notice import DeliveryState, Fact, NoticeKind
from domain.notification.kinds import Channel
from domain.principal import Action, Principal

router = APIRouter(prefix="/notices", tags=["notices"], route_class=TandemRoute)

Administrator = Annotated[Principal, require(Action.MANAGE_NOTICES)]

_NO_MAIL_SERVER = "No mail server is set, so that nothing can be sent; set TANDEM_SMTP_URL first."
_RECIPIENT = {"id": USER_ID, "name": "Dora Desk", "email": "dora@vendor.example"}
_SENT = {"state": "sent", "attempts": 1, "error": None, "sent_at": WHEN, "due_at": WHEN}
_NONE = {"state": "none", "attempts": 0, "error": None, "sent_at": None, "due_at": None}


class Recipient(BaseModel):
    """Whom a notice is for."""

    model_config = example(_RECIPIENT)

    id: UUID
    name: str
    email: str


class Delivery(BaseModel):
    """How far a notice has come by mail or chat; `error` is what the server said last."""

    model_config = example(_SENT)

    state: DeliveryState = DeliveryState.NONE
    attempts: int = 0
    error: str | None = None
    sent_at: datetime | None = None
    due_at: datetime | None = None

    @classmethod
    def of(cls, row: NoticeDelivery | None) -> Self:
        """A delivery as the API answers it."""
        return cls.model_validate(row.model_dump(include=set(cls.model_fields))) if row else cls()


class NoticeOut(BaseModel):
    """Something that somebody was told."""

    model_config = example(
        {
            "id": "0198c5a3-6b2e-7c11-9a57-2f4d8e6b1c30",
            "kind": "decision_wanted",
            "title": "27.5 % on ERP rollout",
            "words": "Rosa Rep asks for 27.5 % for “ERP rollout”. The deal desk decides.",
            "facts": [{"name": "Standard discount", "value": "15 %"}],
            "opportunity_id": DEAL,
            "approval_id": "0198c5a3-5d20-7f46-8c1e-7a9b3d5e2f41",
            "due_at": "2027-01-12T15:00:00Z",
            "created_at": WHEN,
            "read_at": None,
            "recipient": _RECIPIENT,
            "mail": _SENT,
            "chat": _NONE,
        }
    )

    id: UUID
    kind: NoticeKind
    title: str
    words: str
    facts: list[Fact]
    opportunity_id: UUID | None
    approval_id: UUID | None
    due_at: datetime | None
    created_at: datetime
    read_at: datetime | None
    recipient: Recipient
    mail: Delivery
    chat: Delivery

    @classmethod
    def of(cls, notice: Notice, recipient: Recipient, sent: Mapping[Channel, NoticeDelivery]) -> Self:
        """A notice as the API answers it."""
        return cls(
            **notice.model_dump(include=set(cls.model_fields)),
            recipient=recipient,
            mail=Delivery.of(sent.get(Channel.MAIL)),
            chat=Delivery.of(sent.get(Channel.CHAT)),
        )


def _me(principal: Principal) -> Recipient:
    return Recipient(id=principal.id, name=principal.name, email=principal.email)


def _recipient(user: User) -> Recipient:
    return Recipient(id=user.id, name=user.name, email=user.email)


@router.get("")
async def list_notices(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    unread: Annotated[bool, Query(description="Only what I have not read.")] = False,
    failed: Annotated[
        bool,
        Query(description="For administrators: everybody's notices that could not be sent by mail or chat."),
    ] = False,
) -> Listing[NoticeOut]:
    """What I was told, newest first."""
    if failed:
        return await _list_failed(request, response, principal, database, paging)
    async with database.read() as session:
        found = await notices.page(session, principal, paging, unread=unread)
        sent = await deliveries.of_notices(session, [notice.id for notice in found.items])
    me = _me(principal)
    return listing(request, response, found, lambda notice: NoticeOut.of(notice, me, sent[notice.id]))


async def _list_failed(
    request: Request, response: Response, principal: Principal, database: DatabaseDep, paging: PagingDep
) -> Listing[NoticeOut]:
    if not principal.may(Action.MANAGE_NOTICES):
        raise Forbidden("Only administrators see what could not be sent.")
    async with database.read() as session:
        found = await deliveries.failed(session, paging)
        sent = await deliveries.of_notices(session, [notice.id for notice, _ in found.items])
    return listing(
        request, response, found, lambda row: NoticeOut.of(row[0], _recipient(row[1]), sent[row[0].id])
    )


@router.post("/read-all", status_code=204)
async def read_all(principal: PrincipalDep, database: DatabaseDep) -> None:
    """Mark as read all that I have been told up to now."""
    async with database.transaction() as session:
        await notices.mark_all_read(session, principal, datetime.now(UTC))


@router.post("/{notice_id}/read")
async def read_notice(notice_id: UUID, principal: PrincipalDep, database: DatabaseDep) -> NoticeOut:
    """Mark one as read; again changes nothing."""
    async with database.transaction() as session:
        notice = await notices.mark_read(session, principal, notice_id, datetime.now(UTC))
        sent = await deliveries.of_notices(session, [notice_id])
    return NoticeOut.of(notice, _me(principal), sent[notice_id])


@router.post("/resend-failed", status_code=204)
async def resend_failed(_admin: Administrator, services: ServicesDep) -> None:
    """Send again all that could not be sent, to everybody."""
    await send_all_again(services)


@router.post("/{notice_id}/resend")
async def resend_notice(notice_id: UUID, _admin: Administrator, services: ServicesDep) -> NoticeOut:
    """Send again what could not be sent, with as many tries as at first, and all else of the same message."""
    notice, user = await send_again(services, notice_id)
    async with services.database.read() as session:
        sent = await deliveries.of_notices(session, [notice_id])
    return NoticeOut.of(notice, _recipient(user), sent[notice_id])


async def send_again(services: Services, notice_id: UUID) -> tuple[Notice, User]:
    """Let a notice go out anew. Raises `NotFound`, or `Conflict` where there is nothing to send again."""
    if services.settings.smtp_url is None:
        async with services.database.read() as session:
            sent = await deliveries.of_notices(session, [notice_id])
        if Channel.MAIL in sent[notice_id] and sent[notice_id][Channel.MAIL].state == DeliveryState.FAILED:
            raise Conflict(_NO_MAIL_SERVER)
    async with services.database.transaction() as session:
        found = await deliveries.send_again(session, notice_id)
    await wake(services, found[1].id)
    return found


async def send_all_again(services: Services) -> None:
    """Let all that could not be sent go out anew. Raises `Conflict` where mails could not."""
    if services.settings.smtp_url is None:
        raise Conflict(_NO_MAIL_SERVER)
    async with services.database.transaction() as session:
        people = await deliveries.send_all_again(session)
    for user_id in people:
        await wake(services, user_id)
