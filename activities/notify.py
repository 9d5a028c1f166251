"""Telling people: a process says what happened, and this writes a notice for each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from temporalio import activity

from db import notices
from db.session import Database
from db.tables import Notice
from domain.errors import InvalidInput
from domain.notice import MailState, Message
from runtime.ids import new_id
from workflows.entity import refusal
from workflows.notice_messages import NOTIFY


class NotifyActivities:
    """Writes notices; a `Postman` mails them, so that no process waits for a mail server."""

    def __init__(self, database: Database, *, mails: bool) -> None:
        self._database = database
        self._mail = MailState.WAITING if mails else MailState.NONE

    @activity.defn(name=NOTIFY)
    async def notify(self, message: Message) -> None:
        """Tell each recipient, once for each cause; the same message again changes nothing.

        Who is not active by now, or may not see the deal, is not told.

        Raises:
            ApplicationError: it cannot be stored, however often one tries. What else goes wrong passes.
        """
        try:
            async with self._database.transaction() as session:
                told = await notices.may_be_told(session, message.recipients, message.opportunity_id)
                await notices.write(session, [self._notice(message, user_id) for user_id in told])
        except InvalidInput as error:
            raise refusal(error) from error

    def _notice(self, message: Message, user_id: UUID) -> Notice:
        now = datetime.now(UTC)
        waits = self._mail is MailState.WAITING
        return Notice(
            **message.model_dump(
                include={
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
            ),
            facts=[fact.model_dump() for fact in message.facts],
            id=new_id(),
            user_id=user_id,
            created_at=now,
            mail_state=self._mail,
            mail_next_at=now if waits else None,
        )
