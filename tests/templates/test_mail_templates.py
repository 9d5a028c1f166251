"""Every mail has a subject, a text and HTML, which say the same and load nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.notice import NoticeKind
from runtime.mail_text import TEMPLATES, moment, render

MAILS = sorted(path.name.removesuffix(".subject.txt") for path in (TEMPLATES / "mail").glob("*.subject.txt"))

CONTEXT: dict[str, Any] = {
    "kind": "decision_wanted",
    "name": "Dora & Desk",
    "title": "27.5 % on <ERP> rollout",
    "words": "Rosa asks for it.",
    "facts": [{"name": "Standard", "value": "15 %"}],
    "due": "Mon, Mar 1, 2027, 10:00 (Europe/Berlin)",
    "decide_url": "https://tandem.example/decide/token",
    "link_until": "Mon, Mar 15, 2027, 10:00 (Europe/Berlin)",
    "page_url": "https://tandem.example/approvals/7",
    "notices_url": "https://tandem.example/notices",
    "preferences_url": "https://tandem.example/notifications",
    "unsubscribe_url": "https://tandem.example/unsubscribe/token",
    "unsubscribe_from": ["A task is due"],
}
LINE = {
    "notice": {"title": CONTEXT["title"], "words": CONTEXT["words"]},
    "due": CONTEXT["due"],
    "page_url": CONTEXT["page_url"],
    "decide_url": CONTEXT["decide_url"],
}
GROUPS = [
    {"title": "ERP <rollout>", "url": "https://tandem.example/opportunities/7", "lines": [LINE, LINE]},
    {"title": None, "url": None, "lines": [LINE]},
]
SUMMARY = {**CONTEXT, "count": 1203, "unlisted": 1200, "groups": GROUPS}


def test_there_are_mails():
    assert MAILS == ["decision", "notice", "summary"]


@pytest.mark.parametrize("mail", MAILS)
def test_text_and_html_say_the_same(mail: str):
    words = render(mail, **SUMMARY)
    for said in ("words", "due", "page_url", "notices_url", "preferences_url", "unsubscribe_url"):
        assert CONTEXT[said] in words.text
        assert CONTEXT[said] in words.html
    assert "Hello Dora & Desk," in words.text
    assert "Hello Dora &amp; Desk," in words.html
    assert "27.5 % on <ERP> rollout" in words.text
    assert "<ERP>" not in words.html
    assert mail == "summary" or "Standard: 15 %" in words.text
    assert words.text.startswith("Hello")
    assert "\n\n\n" not in words.text


@pytest.mark.parametrize("mail", ["decision", "notice"])
def test_a_mail_that_has_little_to_say_says_it(mail: str):
    words = render(mail, **{**CONTEXT, "facts": [], "due": None, "decide_url": None})
    assert "Due" not in words.text + words.html
    assert "/decide/" not in words.text + words.html
    assert "\n\n\n" not in words.text


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_kind_has_a_subject_of_one_line(kind: NoticeKind):
    words = render("decision" if kind.asks else "notice", **{**CONTEXT, "kind": kind.value})
    assert words.subject.endswith("27.5 % on <ERP> rollout")
    assert "\n" not in words.subject


def test_a_summary_counts_what_it_does_not_list_and_names_the_deal_where_there_is_one():
    words = render("summary", **SUMMARY)
    assert words.subject == "1,203 notices"
    assert "And 1,200 more" in words.text
    assert "And 1,200 more" in words.html
    one = render("summary", **{**SUMMARY, "groups": GROUPS[:1], "unlisted": 0})
    assert one.subject == "1,203 notices: ERP <rollout>"
    assert "more, which" not in one.text + one.html


def test_subjects_tell_what_is_wanted():
    kinds = ("decision_wanted", "decision_reminder", "decision_escalated")
    subjects = [render("decision", **{**CONTEXT, "kind": kind}).subject.partition(":")[0] for kind in kinds]
    assert subjects == ["Please decide", "Reminder", "Escalated to you"]


@pytest.mark.parametrize("mail", MAILS)
def test_a_mail_loads_nothing_and_runs_nothing(mail: str):
    """Neither pictures that tell when it was read, nor scripts."""
    html = render(mail, **SUMMARY).html
    assert not re.search(r"<(img|script|link|iframe|form)\b|url\(|\son[a-z]+=", html)
    assert "<title>" in html


def test_an_instant_is_told_on_the_clock_of_its_reader():
    at = datetime(2027, 7, 1, 16, 30, tzinfo=UTC)
    assert moment(at, "America/New_York") == "Thu, Jul 1, 2027, 12:30 (America/New_York)"
    assert moment(at, "UTC") == "Thu, Jul 1, 2027, 16:30 (UTC)"
