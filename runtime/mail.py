"""Handing one mail to the mail server, and saying in words why it was not taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime, localtime, parseaddr
from typing import Self

import aiosmtplib

from runtime.mail_server import MailServer
from runtime.settings import Settings

TIMEOUT_SECONDS = 30.0
"""What a server has for one mail, from the connection to its last word."""
_LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person. `id` is the same each time it is sent; `thread` is what it belongs to.

    `unsubscribe` is the address where mails like it are ended, `events` iCalendar files that go along.
    """

    id: str
    to_name: str
    to: str
    subject: str
    text: str
    html: str
    thread: str | None = None
    unsubscribe: str | None = None
    events: tuple[bytes, ...] = ()


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of ids and addresses, which mail programs read as it stands: never cut, never encoded.

    Left alone, a word too long for a line travels as `=?utf-8?q?…?=`, in which nobody looks for an
    address (RFC 2369, 2; RFC 2047, 5). A line may have 998 characters.
    """

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _headers() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("list-unsubscribe", "message-id", "in-reply-to", "references"):
        registry.map_to_type(name, _Whole)
    return registry


_POLICY = EmailPolicy(header_factory=_headers())


class MailNotSent(Exception):
    """The server did not take a mail; where `temporary`, it may take it later."""

    def __init__(self, words: str, *, temporary: bool) -> None:
        super().__init__(words)
        self.words = words
        self.temporary = temporary


class Mailer:
    """Sends mails from one address over one server; every mail is a connection of its own."""

    def __init__(self, server: MailServer, sender: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._server = server
        self._name, self._from = parseaddr(sender)
        self._domain = self._from.rpartition("@")[2]
        self._timeout = timeout

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The mailer that the settings name; None where nothing is to be mailed."""
        if settings.smtp_url is None or settings.mail_from is None:
            return None
        return cls(MailServer.parse(settings.smtp_url), settings.mail_from)

    async def send(self, mail: Mail) -> None:
        """Hand it over.

        Raises:
            MailNotSent: refused, not reached, or no answer in time.
        """
        taken = False
        try:
            message = self._message(mail)
            async with self._connected() as smtp:
                await smtp.send_message(message)
                taken = True
        except (aiosmtplib.SMTPException, OSError, ValueError, MessageError) as error:
            if not taken:  # a server that is gone before we have said goodbye has the mail all the same
                raise _not_sent(error, self._server) from error

    async def ping(self) -> str:
        """See whether the server would take a mail, without giving it one; answers where it is.

        Raises:
            MailNotSent: it would not.
        """
        try:
            async with self._connected() as smtp:
                await smtp.noop()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _not_sent(error, self._server) from error
        return f"{self._server.host}:{self._server.port}"

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """The server, let in where it asks for that; all of the block has to be done in time."""
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=None if server.tls else server.starttls,
            timeout=self._timeout,
        )
        async with asyncio.timeout(self._timeout), smtp:
            yield smtp

    def _message(self, mail: Mail) -> EmailMessage:
        """The mail as it travels. Raises `ValueError` or `MessageError` for an address that is none."""
        message = EmailMessage(_POLICY)
        message["From"] = Address(self._name, addr_spec=self._from)
        message["To"] = Address(_one_line(mail.to_name), addr_spec=mail.to)
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = f"<{mail.id}@{self._domain}>"
        if mail.thread:
            # A mail program puts all that names the same ancestor into one conversation, sent or not.
            message["In-Reply-To"] = message["References"] = f"<{mail.thread}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
        if mail.unsubscribe:  # RFC 8058: the mail program asks nobody, and posts there
            message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        for number, event in enumerate(mail.events, start=1):
            calendar = {"charset": "utf-8", "method": "PUBLISH"}
            name = "event.ics" if len(mail.events) == 1 else f"event-{number}.ics"
            message.add_attachment(event, maintype="text", subtype="calendar", filename=name, params=calendar)
        return message


def _one_line(text: str) -> str:
    """What a header may hold: no line breaks, by which more headers could be smuggled in."""
    return " ".join(text.split())


def _not_sent(error: Exception, server: MailServer) -> MailNotSent:
    where = f"{server.host}:{server.port}"
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):  # an operator's to mend, so it may be mended
        return MailNotSent(f"{where} does not let us in: {_answer(error)}", temporary=True)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        temporary = error.code < 500  # noqa: PLR2004 - 4yz: try again later (RFC 5321, 4.2.1)
        return MailNotSent(f"{where} answered {_answer(error)}", temporary=temporary)
    if isinstance(error, TimeoutError):
        return MailNotSent(f"{where} did not answer in time.", temporary=True)
    if isinstance(error, OSError):
        return MailNotSent(f"{where} cannot be reached ({error}).", temporary=True)
    return MailNotSent(f"The mail cannot be sent: {error}", temporary=False)


def _answer(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {_one_line(error.message)}"[:_LONGEST_ANSWER]
