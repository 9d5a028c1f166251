"""Mails over a real SMTP server: what arrives, and what is said when none does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from runtime.errors import CannotStart
from runtime.mail import Mail, Mailer, MailNotSent
from runtime.mail_server import MailServer
from runtime.settings import Settings, load
from tests.smtp import post_office, text_of

SENDER = "Tandem <tandem@vendor.example>"
MAIL = Mail(
    id="notice-1",
    to_name="Dora Désk",
    to="dora@vendor.example",
    subject="Decide: 27.5 % on ERP rollout",
    text="Please decide.\n",
    html="<p>Please decide.</p>\n",
    thread="deal-7",
)


async def refused(mailer: Mailer, mail: Mail = MAIL) -> MailNotSent:
    with pytest.raises(MailNotSent) as caught:
        await mailer.send(mail)
    return caught.value


async def test_a_mail_arrives_as_text_and_html_in_the_conversation_of_its_deal():
    async with post_office() as post:
        await Mailer(post.server, SENDER).send(MAIL)
        (mail,) = post.mails
    assert mail["From"] == "Tandem <tandem@vendor.example>"
    assert mail["To"] == "Dora Désk <dora@vendor.example>"
    assert mail["Subject"] == "Decide: 27.5 % on ERP rollout"
    assert mail["Message-ID"] == "<notice-1@vendor.example>"
    assert mail["References"] == mail["In-Reply-To"] == "<deal-7@vendor.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert text_of(mail) == "Please decide.\n"
    assert text_of(mail, "html") == "<p>Please decide.</p>\n"


async def test_a_mail_carries_its_way_out_and_a_file_for_the_calendar():
    async with post_office() as post:
        out = "https://tandem.example/unsubscribe/token"
        await Mailer(post.server, SENDER).send(
            replace(MAIL, unsubscribe=out, events=(b"BEGIN:VCALENDAR\r\n",))
        )
        (mail,) = post.mails
    assert mail["List-Unsubscribe"] == f"<{out}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    assert file.get_payload(decode=True) == b"BEGIN:VCALENDAR\r\n"
    assert text_of(mail, "html") == "<p>Please decide.</p>\n"


async def test_ids_and_addresses_travel_as_they_are_however_long():
    out = f"https://tandem.example/unsubscribe/{'token' * 60}"
    sender = f"Tandem <tandem@{'mail.' * 12}vendor.example>"
    async with post_office() as post:
        await Mailer(post.server, sender).send(replace(MAIL, unsubscribe=out))
        (mail,) = post.mails
    as_sent = dict(mail.raw_items())
    assert as_sent["List-Unsubscribe"] == f"<{out}>"
    for name, its_id in {
        "Message-ID": MAIL.id,
        "In-Reply-To": MAIL.thread,
        "References": MAIL.thread,
    }.items():
        assert as_sent[name] == f"<{its_id}@{'mail.' * 12}vendor.example>"


async def test_no_words_of_a_deal_become_headers():
    async with post_office() as post:
        await Mailer(post.server, SENDER).send(
            replace(MAIL, subject="Hello\r\nBcc: all@rival.example", to_name="D\nX: y")
        )
        (mail,) = post.mails
    assert mail["Bcc"] is mail["X"] is None
    assert mail["Subject"] == "Hello Bcc: all@rival.example"


@pytest.mark.parametrize(
    ("answer", "temporary"),
    [("451 4.3.0 Try again later", True), ("550 5.1.1 No such user", False), ("552 5.3.4 Too big", False)],
)
async def test_4yz_may_be_tried_again_and_5yz_may_not(answer: str, temporary: bool):
    async with post_office() as post:
        post.answer = answer
        error = await refused(Mailer(post.server, SENDER))
    assert error.temporary is temporary
    assert answer in error.words


async def test_a_server_that_says_nothing_is_left():
    async with post_office() as post:
        post.hangs = True
        error = await refused(Mailer(post.server, SENDER, timeout=0.2))
    assert error.temporary
    assert "did not answer in time" in error.words


async def test_a_server_that_is_not_there_may_come():
    async with post_office() as post:
        away = post.server
    error = await refused(Mailer(away, SENDER))
    assert error.temporary
    assert "cannot be reached" in error.words


async def test_a_wrong_password_is_the_operators_to_mend():
    async with post_office(login=("tandem", "right")) as post:
        wrong = replace(post.server, username="tandem", password="wrong")
        error = await refused(Mailer(wrong, SENDER))
        await Mailer(replace(wrong, password="right"), SENDER).send(MAIL)
    assert error.temporary
    assert "does not let us in" in error.words
    assert len(post.mails) == 1


async def test_a_server_without_tls_gets_nothing_where_tls_is_demanded():
    async with post_office() as post:
        error = await refused(Mailer(replace(post.server, starttls=True), SENDER))
    assert not error.temporary
    assert not post.mails


async def test_an_address_that_is_none_is_refused_for_good():
    async with post_office() as post:
        error = await refused(Mailer(post.server, SENDER), replace(MAIL, to="not an address"))
    assert not error.temporary


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25)),
        ("smtps://mail.example", MailServer("mail.example", 465, tls=True)),
        (
            "smtp://me:p%40ss@mail.example:587?starttls=1",
            MailServer("mail.example", 587, "me", "p@ss", starttls=True),
        ),
        ("smtp://mail.example?starttls=0", MailServer("mail.example", 25, starttls=False)),
    ],
)
def test_the_address_of_a_server_says_how_to_speak_to_it(url: str, server: MailServer):
    assert MailServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example",
        "mail.example:25",
        "smtp://",
        "smtp://mail.example:port",
        "smtp://me@mail.example",
        "smtp://mail.example/inbox",
        "smtp://mail.example?starttls=perhaps",
        "smtp://mail.example?tls=1",
        "smtps://mail.example?starttls=1",
    ],
)
def test_an_address_that_makes_no_sense_keeps_tandem_from_starting(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TANDEM_MAIL_FROM", SENDER)
    monkeypatch.setenv("TANDEM_SMTP_URL", url)
    with pytest.raises(CannotStart, match="TANDEM_SMTP_URL cannot be used"):
        load()


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_url": "smtp://mail.example"},
        {"mail_from": SENDER},
        {"smtp_url": "smtp://mail.example", "mail_from": "nobody"},
        {"secret_key": "short"},
    ],
)
def test_half_of_the_mail_settings_is_none(values: dict[str, Any]):
    with pytest.raises(CannotStart):
        load(**values)


def test_no_password_is_shown():
    settings = Settings(
        smtp_url="smtp://me:hidden@mail.example:587", mail_from=SENDER, secret_key=SecretStr("s" * 32)
    )
    shown = settings.public()
    assert shown["TANDEM_SMTP_URL"] == "smtp://***@mail.example:587"
    assert "hidden" not in str(shown)
    assert "ssss" not in str(shown)
    assert "hidden" not in repr(MailServer.parse("smtp://me:hidden@mail.example"))
