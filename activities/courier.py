"""What a person's courier does: look at what waits, send a message, keep how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.letters import Envelope, Letters
from db import deliveries, mail_links
from db import notification_preferences as preferences
from db.mail_links import Addressee
from db.notification_preferences import Wanted
from db.session import Database
from db.tables import Notice
from domain.errors import Unavailable
from domain.notice import DeliveryState, NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.rounds import Batch, look
from runtime.chat import ChatNotTaken, Chats
from runtime.errors import CannotStart
from runtime.mail import Mailer, MailNotSent
from workflows.courier_messages import DELIVER, LOOK, NOT_NOW, SETTLE, Found, Looking, Outcome, Parcel

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """A message was not taken; where `temporary`, it may be later."""

    def __init__(self, words: str, *, temporary: bool) -> None:
        super().__init__(words)
        self.words = words
        self.temporary = temporary


@dataclass(frozen=True, slots=True)
class CourierActivities:
    """Brings notices by mail and chat; without a mailer, mails wait for a worker that has one set."""

    database: Database
    letters: Letters
    mailer: Mailer | None
    chats: Chats

    @activity.defn(name=LOOK)
    async def look(self, looking: Looking) -> Found:
        """What is to be sent to a person now, in messages that stay as they are from here on."""
        async with self.database.transaction() as session:
            waiting = await deliveries.waiting(session, looking.user_id)
            wanted = (await preferences.of(session, [looking.user_id])).get(looking.user_id)
            if wanted is None:
                return Found()
            looked = look(waiting, wanted.preferences, looking.now)
            await deliveries.keep(session, looked)
        parcels = tuple(
            Parcel(user_id=looking.user_id, batch_id=batch.id, channel=batch.channel)
            for batch in looked.batches
        )
        return Found(parcels=parcels, next_at=looked.next_at)

    @activity.defn(name=DELIVER)
    async def deliver(self, parcel: Parcel) -> None:
        """Send one message; what of it no longer concerns its recipient is dropped.

        Raises:
            ApplicationError: it was not taken; not to be retried where that would not help.
        """
        batch, now = Batch(parcel.batch_id, parcel.channel), activity.info().current_attempt_scheduled_time
        try:
            await self._deliver(parcel, batch, now)
        except Unavailable as away:
            raise ApplicationError(away.detail, type=NOT_NOW) from away
        except (NotSent, MailNotSent, ChatNotTaken) as error:
            await self._keep_error(batch, error.words)
            log.warning("delivery.not_sent", batch=str(batch.id), channel=batch.channel, why=error.words)
            raise ApplicationError(error.words, non_retryable=not error.temporary) from error

    @activity.defn(name=SETTLE)
    async def settle(self, outcome: Outcome) -> None:
        """Keep that a message is sent, or list it as one that could not be."""
        batch = Batch(outcome.parcel.batch_id, outcome.parcel.channel)
        state = DeliveryState.SENT if outcome.error is None else DeliveryState.FAILED
        async with self.database.single() as session:
            await deliveries.settle(session, batch, state, error=outcome.error, now=outcome.at)

    async def _deliver(self, parcel: Parcel, batch: Batch, now: datetime) -> None:
        async with self.database.transaction() as session:
            items = await deliveries.batch(session, batch)
            to = await mail_links.addressee(session, parcel.user_id)
            wanted = (await preferences.of(session, [parcel.user_id])).get(parcel.user_id)
            told: list[Notice] = []
            dropped: list[Notice] = []
            for item in items:
                still = item.concerns and _is_wanted(item.notice, batch.channel, wanted)
                (told if still else dropped).append(item.notice)
            gone = [notice.id for notice in dropped]
            await deliveries.settle(session, batch, DeliveryState.DROPPED, only=gone)
        if not told or to is None or wanted is None:
            return
        if wanted.preferences.is_quiet(now):
            raise ApplicationError("The recipient's quiet hours have begun.", type=NOT_NOW)
        await self._send(to, wanted, told, batch, now)

    async def _send(
        self, to: Addressee, wanted: Wanted, told: list[Notice], batch: Batch, now: datetime
    ) -> None:
        if batch.channel is Channel.CHAT:
            title, text = self.letters.chat(told)
            await self.chats.say(wanted.chat_address or "", title, text)
            return
        if self.mailer is None:
            raise NotSent("No mail server is set: set TANDEM_SMTP_URL and TANDEM_MAIL_FROM.", temporary=True)
        try:
            async with self.database.transaction() as session:
                mail = await self.letters.mail(session, Envelope(to, told, batch.id, now))
        except CannotStart as error:  # no key to sign links with, which an operator can mend
            raise NotSent(error.detail, temporary=True) from error
        await self.mailer.send(mail)

    async def _keep_error(self, batch: Batch, words: str) -> None:
        try:
            async with self.database.single() as session:
                await deliveries.failed_once(session, batch, words)
        except Unavailable:
            log.warning("delivery.not_kept", batch=str(batch.id))  # the courier knows it all the same


def _is_wanted(notice: Notice, channel: Channel, wanted: Wanted | None) -> bool:
    """Whether the recipient still wants such a notice by this channel."""
    if wanted is None or (channel is Channel.CHAT and wanted.chat_address is None):
        return False
    return wanted.preferences.mode(NoticeKind(notice.kind), channel) is not Mode.OFF
