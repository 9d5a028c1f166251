"""Telling people: a process says what happened, and this writes a notice for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from db import deliveries, notices
from db import notification_preferences as preferences
from db.notification_preferences import Wanted
from db.session import Database
from db.tables import Notice, NoticeDelivery
from domain.errors import InvalidInput, Unavailable
from domain.notice import Message
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import plan
from runtime.ids import new_id
from workflows.courier_wake import Wake
from workflows.entity import refusal
from workflows.notice_messages import NOTIFY

PATIENCE = 60
"""How often a notice is tried that fails by a mistake of ours: about an hour. A process tells one after
the other, so that the next ones wait that long, and not for the month that an outage may take."""
log = structlog.get_logger()
_OF_MESSAGE = {
    "kind",
    "cause",
    "title",
    "words",
    "opportunity_id",
    "approval_id",
    "step_key",
    "round",
    "due_at",
}


class NotifyActivities:
    """Writes notices, and wakes the couriers that bring them: no process waits for a mail server."""

    def __init__(self, database: Database, *, mails: bool, wake: Wake | None = None) -> None:
        self._database = database
        self._mails = mails
        self._wake = wake

    @activity.defn(name=NOTIFY)
    async def notify(self, message: Message) -> None:
        """Tell each recipient, once for each cause; the same message again changes nothing.

        Who is not active by now, or may not see the deal, is not told.

        Raises:
            ApplicationError: it cannot be stored, however often one tries; or something else than the
                database or Temporal being away has stood in its way `PATIENCE` times.
        """
        try:
            await self._tell(message)
        except InvalidInput as error:
            raise refusal(error) from error
        except (Unavailable, RPCError):
            raise
        except Exception as error:
            if activity.info().attempt < PATIENCE:
                raise
            log.exception("notice.given_up", cause=message.cause, kind=message.kind.value)
            words = "This notice cannot be told; those after it are."
            raise ApplicationError(words, type="notice_given_up", non_retryable=True) from error

    async def _tell(self, message: Message) -> None:
        expecting = await self._write(message, datetime.now(UTC))
        if self._wake is not None:
            for user_id in expecting:
                await self._wake(user_id)

    async def _write(self, message: Message, now: datetime) -> Sequence[UUID]:
        """Write what is not written yet; answers for whom something waits to be brought."""
        async with self._database.transaction() as session:
            told = await notices.recipients(session, message)
            wanted = await preferences.of(session, told)
            written = [_notice(message, user_id, wanted[user_id], now) for user_id in told]
            new = await notices.write(session, written)
            rows = [
                row
                for notice in written
                if notice.id in new
                for row in self._deliveries(notice, message, wanted[notice.user_id])
            ]
            await deliveries.add(session, rows)
            return await deliveries.expecting(session, told)

    def _deliveries(self, notice: Notice, message: Message, wanted: Wanted) -> Iterator[NoticeDelivery]:
        """How a notice goes out, as its recipient wants it."""
        there = {Channel.MAIL: self._mails, Channel.CHAT: wanted.chat_address is not None}
        for channel in (each for each, is_there in there.items() if is_there):
            planned = plan(wanted.preferences, message.kind, channel, notice.created_at, late=message.late)
            if planned is not None:
                yield NoticeDelivery(
                    notice_id=notice.id,
                    channel=channel,
                    user_id=notice.user_id,
                    timing=planned.timing,
                    due_at=planned.due_at,
                )


def _notice(message: Message, user_id: UUID, wanted: Wanted, now: datetime) -> Notice:
    return Notice(
        **message.model_dump(include=_OF_MESSAGE),
        facts=[fact.model_dump() for fact in message.facts],
        event=message.event.model_dump(mode="json") if message.event else None,
        id=new_id(),
        user_id=user_id,
        created_at=now,
        in_app=wanted.preferences.mode(message.kind, Channel.IN_APP) is not Mode.OFF,
    )
