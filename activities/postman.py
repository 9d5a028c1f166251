"""Mailing what people were told: at its own pace, often enough to be sure, and not for ever.

What waits is in the rows of `notice`, so that it outlives every worker, and any worker
may take it. A worker that dies over a mail leaves it to another when its lease has run
out; the same mail may so arrive twice, under the same Message-ID, but never not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from db import mail_links, notices
from db.mail_links import Addressee
from db.session import Database
from db.tables import MailLink, Notice
from domain.errors import Unavailable
from domain.notice import MailState, NoticeKind
from runtime import mail_text
from runtime.errors import CannotStart
from runtime.ids import new_id
from runtime.links import Links
from runtime.mail import TIMEOUT_SECONDS, Mail, Mailer, MailNotSent
from runtime.settings import Settings

log = structlog.get_logger(__name__)

PATIENCE = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
)
"""How long to wait after each failure; after the last one the mail stays listed as not sent."""
LINK_LIFETIME = timedelta(days=14)
EVERY = timedelta(seconds=2)
LEASE = timedelta(seconds=4 * TIMEOUT_SECONDS)
"""How long a worker has for what it took: well beyond what the mail server has for its answer."""
AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Postman:
    """Sends the mails that wait, and keeps how it went."""

    database: Database
    mailer: Mailer
    links: Links
    patience: Sequence[timedelta] = PATIENCE

    async def deliver(self, now: datetime) -> int:
        """Send what is to be sent at this instant, a few at once; answers how many were tried."""
        async with self.database.transaction() as session:
            taken = await notices.claim(session, now, LEASE, AT_ONCE)
        await asyncio.gather(*(self._deliver(notice, now) for notice in taken))
        return len(taken)

    async def _deliver(self, notice: Notice, now: datetime) -> None:
        """Send one, and keep how it went."""
        try:
            sent = await self._send(notice, now)
        except MailNotSent as error:
            await self._put_off(notice, error, now)
        except CannotStart as error:
            await self._put_off(notice, MailNotSent(error.detail, temporary=True), now)
        except Unavailable:
            raise
        except Exception:  # a mistake of ours in one mail must not keep back all others
            log.exception("mail.failed", notice=str(notice.id))
            await self._put_off(notice, MailNotSent("Something went wrong on our side.", temporary=True), now)
        else:
            state = MailState.SENT if sent else MailState.DROPPED
            await self._settle(notice, state, mailed_at=datetime.now(UTC) if sent else None)

    async def _send(self, notice: Notice, now: datetime) -> bool:
        """Mail it, if it still concerns its recipient; answers whether it did."""
        to = await self._recipient(notice)
        if to is None:
            return False
        await self.mailer.send(await self._mail(notice, to, now))
        return True

    async def _recipient(self, notice: Notice) -> Addressee | None:
        """Whom it goes to, as they are now: None when it is not for them any more."""
        async with self.database.read() as session:
            may = await notices.may_be_told(session, [notice.user_id], notice.opportunity_id)
            if not may or not await self._is_asked(session, notice):
                return None
            return await mail_links.addressee(session, notice.user_id)

    async def _is_asked(self, session: AsyncSession, notice: Notice) -> bool:
        """Whether who was asked to decide still is; of all else, that it is told."""
        if not NoticeKind(notice.kind).asks or notice.approval_id is None or notice.step_key is None:
            return True
        return await mail_links.is_asked(session, notice.user_id, notice.approval_id, notice.step_key)

    async def _mail(self, notice: Notice, to: Addressee, now: datetime) -> Mail:
        asks = NoticeKind(notice.kind).asks
        link = await self._link(notice, now) if asks else None
        words = mail_text.render(
            "decision" if asks else "notice",
            kind=notice.kind,
            name=to.principal.name,
            title=notice.title,
            words=notice.words,
            facts=notice.facts,
            due=mail_text.moment(notice.due_at, to.time_zone) if notice.due_at else None,
            decide_url=link,
            link_until=mail_text.moment(now + LINK_LIFETIME, to.time_zone),
            page_url=self.links.page(page_of(notice)),
            notices_url=self.links.page("/notices"),
        )
        return Mail(
            id=f"notice-{notice.id}",
            to_name=to.principal.name,
            to=to.principal.email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            thread=f"deal-{notice.opportunity_id}" if notice.opportunity_id else None,
        )

    async def _link(self, notice: Notice, now: datetime) -> str | None:
        """The address where the recipient decides."""
        if notice.approval_id is None or notice.step_key is None:
            return None
        link = MailLink(
            id=new_id(),
            notice_id=notice.id,
            user_id=notice.user_id,
            approval_id=notice.approval_id,
            step_key=notice.step_key,
            round=notice.round,
            created_at=notice.created_at,
            expires_at=now + LINK_LIFETIME,
        )
        async with self.database.single() as session:
            return self.links.address(await mail_links.keep(session, link))

    async def _put_off(self, notice: Notice, error: MailNotSent, now: datetime) -> None:
        """Try again later, where that may help and has not been tried often enough."""
        failures = notice.mail_attempts
        if error.temporary and failures <= len(self.patience):
            next_at = now + self.patience[failures - 1]
            await self._settle(notice, MailState.WAITING, error=error.words, next_at=next_at)
            return
        log.warning("mail.not_sent", notice=str(notice.id), why=error.words)
        await self._settle(notice, MailState.FAILED, error=error.words)

    async def _settle(
        self,
        notice: Notice,
        state: MailState,
        *,
        error: str | None = None,
        mailed_at: datetime | None = None,
        next_at: datetime | None = None,
    ) -> None:
        async with self.database.single() as session:
            await notices.settle(session, notice, state, error=error, mailed_at=mailed_at, next_at=next_at)


def page_of(notice: Notice) -> str:
    """The path of the page that a notice is about."""
    if notice.approval_id is not None:
        return f"/approvals/{notice.approval_id}"
    return f"/opportunities/{notice.opportunity_id}" if notice.opportunity_id else "/notices"


@asynccontextmanager
async def mailing(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Mail what is to be mailed while the block lasts; nothing where no mail server is set."""
    mailer = Mailer.of(settings)
    if mailer is None:
        yield
        return
    task = asyncio.create_task(_forever(Postman(database, mailer, Links(settings))))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _forever(postman: Postman) -> None:
    while True:
        try:
            while await postman.deliver(datetime.now(UTC)):
                pass
        except (Unavailable, ProgrammingError) as away:
            # The database is away, or not migrated yet: what waits is there when it is back.
            log.warning("mail.put_off", why=type(away).__name__)
        except Exception:
            log.exception("mail.failed")
        await asyncio.sleep(EVERY.total_seconds())
