"""Is the mail server there, and does it take what we give it?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy.exc import ProgrammingError

from db import deliveries
from db.session import Database
from domain.errors import Unavailable
from ops.finding import Finding
from runtime.mail import Mailer, MailNotSent
from runtime.settings import Settings


async def look_at_mail(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    """Nothing where no mail server is set."""
    mailer = Mailer.of(settings)
    if mailer is None:
        return
    try:
        yield Finding("mail", True, f"{await mailer.ping()} would take a mail")
    except MailNotSent as error:
        yield Finding("mail", False, error.words, "Check TANDEM_SMTP_URL, and that the server runs.")
    try:
        async with database.read() as session:
            failed = await deliveries.failed_count(session)
    except (Unavailable, ProgrammingError):
        return  # said of the database itself already
    advice = "See which and why on the page of notices, as an administrator, and send them again there."
    yield Finding("notices", failed == 0, f"{failed:,} could not be sent", advice)
