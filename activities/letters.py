"""What mails and chats say: one notice by itself, or several as a summary by deal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db import deliveries, mail_links
from db.mail_links import Addressee
from db.tables import MailLink, Notice
from domain.notice import CalendarEvent, NoticeKind
from domain.notification import kinds
from runtime import ics, mail_text
from runtime.ids import new_id
from runtime.links import Links
from runtime.mail import Mail

LINK_LIFETIME = timedelta(days=14)
MOST_LISTED = 100
"""More notices than so many are not listed in one mail, but counted."""
MOST_EVENTS = 20
"""No more events than so many go along with one mail, each as a file of its own."""
MOST_SAID = 15
"""As `MOST_LISTED`, in one message of a chat."""


@dataclass(frozen=True, slots=True)
class Line:
    """One notice of a summary."""

    notice: Notice
    due: str | None
    page_url: str
    decide_url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """What a summary says about one deal; without a title, about no deal."""

    title: str | None
    url: str | None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail is made of: the notices of a batch, for somebody, as of now."""

    to: Addressee
    told: Sequence[Notice]
    batch_id: UUID
    now: datetime


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes mails and messages with the links that belong into them."""

    links: Links

    async def mail(self, session: AsyncSession, envelope: Envelope) -> Mail:
        """The mail of these notices, the same each time but for the end of its links."""
        return await (self._one if len(envelope.told) == 1 else self._summary)(session, envelope)

    async def _one(self, session: AsyncSession, envelope: Envelope) -> Mail:
        (notice,) = envelope.told
        line = await self._line(session, envelope, notice)
        context = {
            "kind": notice.kind,
            "title": notice.title,
            "words": notice.words,
            "facts": notice.facts,
            "due": line.due,
            "decide_url": line.decide_url,
            "link_until": mail_text.moment(envelope.now + LINK_LIFETIME, envelope.to.time_zone),
            "page_url": line.page_url,
        }
        mail = self._written("decision" if NoticeKind(notice.kind).asks else "notice", envelope, context)
        thread = f"deal-{notice.opportunity_id}" if notice.opportunity_id else None
        return replace(mail, thread=thread)

    async def _summary(self, session: AsyncSession, envelope: Envelope) -> Mail:
        context = {
            "count": len(envelope.told),
            "groups": await self._groups(session, envelope),
            "unlisted": max(len(envelope.told) - MOST_LISTED, 0),
        }
        return self._written("summary", envelope, context)

    def _written(self, template: str, envelope: Envelope, context: dict[str, Any]) -> Mail:
        """The mail with the words of its templates, and with its ways out."""
        to = envelope.to.principal
        kinds_told = {NoticeKind(notice.kind) for notice in envelope.told}
        unsubscribe = self.links.unsubscribe(to.id, kinds_told)
        words = mail_text.render(
            template,
            name=to.name,
            notices_url=self.links.page("/notices"),
            preferences_url=self.links.page("/notifications"),
            unsubscribe_url=unsubscribe,
            unsubscribe_from=sorted(kinds.title(kind) for kind in kinds_told),
            **context,
        )
        return Mail(
            id=f"notice-{envelope.batch_id}",
            to_name=to.name,
            to=to.email,
            subject=words.subject,
            text=words.text,
            html=words.html,
            unsubscribe=unsubscribe,
            events=self._events(envelope.told),
        )

    def _events(self, told: Sequence[Notice]) -> tuple[bytes, ...]:
        """What of these notices has its time, as files for the calendar."""
        timed = [notice for notice in told if notice.event is not None][:MOST_EVENTS]
        return tuple(
            ics.event_file(
                CalendarEvent.model_validate(notice.event),
                stamp=notice.created_at,
                url=self.links.page(page_of(notice)),
            )
            for notice in timed
        )

    async def _groups(self, session: AsyncSession, envelope: Envelope) -> list[Group]:
        """The notices by deal, each deal where its first one stands; about no deal last."""
        told = envelope.told[:MOST_LISTED]
        deals = list(dict.fromkeys(notice.opportunity_id for notice in told if notice.opportunity_id))
        titles = await deliveries.titles(session, deals)
        order = {deal: place for place, deal in enumerate(deals)}

        def place(notice: Notice) -> int:
            return order.get(notice.opportunity_id, len(order)) if notice.opportunity_id else len(order)

        groups = []
        for _, members in groupby(sorted(told, key=place), place):
            lines = [await self._line(session, envelope, notice) for notice in members]
            deal = lines[0].notice.opportunity_id
            url = self.links.page(f"/opportunities/{deal}") if deal else None
            groups.append(Group(titles.get(deal) if deal else None, url, lines))
        return groups

    async def _line(self, session: AsyncSession, envelope: Envelope, notice: Notice) -> Line:
        due = mail_text.moment(notice.due_at, envelope.to.time_zone) if notice.due_at else None
        asks = NoticeKind(notice.kind).asks
        link = await self._link(session, notice, envelope.now) if asks else None
        return Line(notice, due, self.links.page(page_of(notice)), link)

    async def _link(self, session: AsyncSession, notice: Notice, now: datetime) -> str | None:
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
        return self.links.address(await mail_links.keep(session, link))

    def chat(self, told: Sequence[Notice]) -> tuple[str, str]:
        """The title and the text of a message to a chat. No link in it decides: others may read along."""
        if len(told) == 1:
            (notice,) = told
            return notice.title, f"{notice.words}\n{self.links.page(page_of(notice))}"
        lines = [f"• {notice.title}: {notice.words}" for notice in told[:MOST_SAID]]
        if len(told) > MOST_SAID:
            lines.append(f"… and {len(told) - MOST_SAID:,} more")
        return f"{len(told):,} notices", "\n".join([*lines, self.links.page("/notices")])


def page_of(notice: Notice) -> str:
    """The path of the page that a notice is about."""
    if notice.approval_id is not None:
        return f"/approvals/{notice.approval_id}"
    return f"/opportunities/{notice.opportunity_id}" if notice.opportunity_id else "/notices"
