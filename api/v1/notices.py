"""What I was told; for administrators, what could not be mailed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.paging import Listing, PagingDep, listing
from api.principal import PrincipalDep, require
from api.route import TandemRoute
from api.services import DatabaseDep, ServicesDep
from api.v1.opportunity_shapes import DEAL
from api.v1.schemas import USER_ID, WHEN, example
from db import notices
from db.tables import Notice
from domain.errors import Conflict, Forbidden
from domain.notice import Fact, MailState, NoticeKind
from domain.principal import Action, Principal

router = APIRouter(prefix="/notices", tags=["notices"], route_class=TandemRoute)

Administrator = Annotated[Principal, require(Action.MANAGE_NOTICES)]

_RECIPIENT = {"id": USER_ID, "name": "Dora Desk", "email": "dora@vendor.example"}
_MAIL = {"state": "sent", "attempts": 1, "error": None, "sent_at": WHEN}


class Recipient(BaseModel):
    """Whom a notice is for."""

    model_config = example(_RECIPIENT)

    id: UUID
    name: str
    email: str


class NoticeMail(BaseModel):
    """How far a notice's mail has come; `error` is what the mail server said last."""

    model_config = example(_MAIL)

    state: MailState
    attempts: int
    error: str | None
    sent_at: datetime | None


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
            "mail": _MAIL,
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
    mail: NoticeMail

    @classmethod
    def of(cls, notice: Notice, recipient: Recipient) -> Self:
        """A notice as the API answers it."""
        return cls(
            **notice.model_dump(include=set(cls.model_fields)),
            recipient=recipient,
            mail=NoticeMail(
                state=MailState(notice.mail_state),
                attempts=notice.mail_attempts,
                error=notice.mail_error,
                sent_at=notice.mailed_at,
            ),
        )


def _me(principal: Principal) -> Recipient:
    return Recipient(id=principal.id, name=principal.name, email=principal.email)


@router.get("")
async def list_notices(
    request: Request,
    response: Response,
    principal: PrincipalDep,
    database: DatabaseDep,
    paging: PagingDep,
    unread: Annotated[bool, Query(description="Only what I have not read.")] = False,
    failed: Annotated[
        bool, Query(description="For administrators: everybody's notices whose mail could not be sent.")
    ] = False,
) -> Listing[NoticeOut]:
    """What I was told, newest first."""
    if failed:
        return await _list_failed(request, response, principal, database, paging)
    async with database.read() as session:
        found = await notices.page(session, principal, paging, unread=unread)
    return listing(request, response, found, lambda notice: NoticeOut.of(notice, _me(principal)))


async def _list_failed(
    request: Request, response: Response, principal: Principal, database: DatabaseDep, paging: PagingDep
) -> Listing[NoticeOut]:
    if not principal.may(Action.MANAGE_NOTICES):
        raise Forbidden("Only administrators see which mails could not be sent.")
    async with database.read() as session:
        found = await notices.failed(session, paging)
    return listing(
        request,
        response,
        found,
        lambda row: NoticeOut.of(row[0], Recipient(id=row[1].id, name=row[1].name, email=row[1].email)),
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
    return NoticeOut.of(notice, _me(principal))


@router.post("/{notice_id}/resend")
async def resend_notice(
    notice_id: UUID, _admin: Administrator, services: ServicesDep, database: DatabaseDep
) -> NoticeOut:
    """Send a mail again that could not be sent, with as many tries as at first."""
    if services.settings.smtp_url is None:
        raise Conflict("No mail server is set, so that nothing can be sent; set TANDEM_SMTP_URL first.")
    async with database.transaction() as session:
        notice, user = await notices.send_again(session, notice_id, datetime.now(UTC))
    return NoticeOut.of(notice, Recipient(id=user.id, name=user.name, email=user.email))
