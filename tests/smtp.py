"""A real mail server in this process, which takes mail, refuses it or says nothing.

async with post_office() as post:
    mailer = Mailer(post.server, "Tandem <tandem@vendor.example>")
    post.answer = "451 4.3.0 Try again later"    # what it says to each mail from now on
    post.mails                                   # what it took
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from runtime.mail_server import MailServer

TAKEN = "250 OK"


@dataclass
class PostOffice:
    """What the server took, and how it answers."""

    server: MailServer
    answer: str = TAKEN
    hangs: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    tries: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each mail that is offered, whatever the answer."""
    took: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each mail that it took."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.tries += 1
        self.came.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.answer == TAKEN:
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.took.set()
        return self.answer

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that somebody got."""
        return [mail for mail in self.mails if address in mail["To"]]


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The plain or the HTML part."""
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


@contextlib.asynccontextmanager
async def post_office(*, login: tuple[str, str] | None = None) -> AsyncIterator[PostOffice]:
    """A mail server on a free port; with `login` it lets in this user with this password only."""
    office = PostOffice(MailServer("127.0.0.1", 0))

    def known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=right, handled=False)

    def talk() -> SMTP:
        more: dict[str, Any] = {}
        if login:
            more = {"authenticator": known, "auth_required": True, "auth_require_tls": False}
        return SMTP(office, enable_SMTPUTF8=True, hostname="post.vendor.example", **more)

    listening = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0)
    try:
        office.server = MailServer("127.0.0.1", listening.sockets[0].getsockname()[1])
        yield office
    finally:
        listening.close()
