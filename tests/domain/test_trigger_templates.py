"""What a playbook may say about triggers, and how people read it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.principal import Side
from domain.trigger import Trigger, TriggerKind, WebhookTemplate
from tests.factories import (
    a_playbook,
    a_stage,
    a_task,
)
from tests.triggers import REVIEW, book


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ({}, "write one of task, notify, approval, campaign and webhook"),
        (
            {"campaign": {"key": "a", "step": "b"}, "task": a_task("x")},
            "write one of task, notify, approval, campaign and webhook",
        ),
        (
            {"campaign": {"key": "a", "step": "b"}, "when_in_words": "always"},
            "when_in_words goes with a rule",
        ),
        ({"notify": {"to": "role", "words": "x"}}, "to: role needs a role"),
        ({"notify": {"to": "owner", "role": "finance", "words": "x"}}, "role goes with to: role"),
        ({"notify": {"to": "role", "role": "partner_seller", "words": "x"}}, "write to: partners"),
        ({"approval": {"title": "x"}}, "write either approvers or a role"),
        ({"approval": {"title": "x", "role": "partner_admin"}}, "the vendor's people approve"),
        ({"webhook": {"url": "file:///etc/passwd", "event": "x"}}, "URL scheme should be 'http' or 'https'"),
        ({"webhook": {"url": "https://a.example", "event": "Demo began"}}, "should match pattern"),
    ],
)
def test_a_trigger_does_one_thing_and_says_what_is_wrong(trigger: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        book(trigger)


def test_at_most_twenty_triggers_for_one_moment():
    step = {"campaign": {"key": "a", "step": "b"}}
    assert len(book(*[step] * 20).stages[1].on_enter) == 20
    with pytest.raises(ValidationError, match="at most 20"):
        book(*[step] * 21)


def test_the_key_of_a_triggered_task_is_used_once_in_a_playbook():
    with pytest.raises(ValidationError) as wrong:
        book({"task": a_task("demo")})
    (error,) = wrong.value.errors()
    assert error["loc"] == ("stages", 1, "on_enter", 0, "task", "key")


def test_winning_asks_for_no_approval():
    with pytest.raises(ValidationError, match="ask for it on_enter") as wrong:
        a_playbook(stages=[a_stage("only", a_task("call"), on_leave=[REVIEW])])
    assert wrong.value.errors()[0]["loc"] == ("stages", 0, "on_leave", 0, "approval")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://hooks.example/tandem", None),
        ("https://93.184.216.34/x", None),
        ("http://hooks.example/tandem", "over https"),
        ("https://user:secret@hooks.example", "a name or a password"),
        ("https://localhost/x", "inside a network"),
        ("https://localhost.:8443/x", "inside a network"),
        ("https://intranet/x", "inside a network"),
        ("https://crm.internal/x", "inside a network"),
        ("https://127.0.0.1/x", "inside a network"),
        ("https://127.1/x", "inside a network"),
        ("https://2130706433/x", "inside a network"),
        ("https://0x7f000001/x", "inside a network"),
        ("https://0177.0.0.1/x", "inside a network"),
        ("https://[::1]/x", "inside a network"),
        ("https://[::ffff:127.0.0.1]/x", "inside a network"),
        ("https://169.254.169.254/latest/meta-data", "inside a network"),
        ("https://10.0.0.7/x", "inside a network"),
    ],
)
def test_addresses_inside_a_network_are_seen_at_publishing(url: str, said: str | None):
    template = WebhookTemplate.model_validate({"url": url, "event": "x"})
    if said is None:
        assert template.unreachable is None
    else:
        assert template.unreachable is not None
        assert said in template.unreachable


@pytest.mark.parametrize(
    ("trigger", "what"),
    [
        ({"task": a_task("book-room")}, "the task “Book room” opens for the vendor"),
        ({"notify": {"to": "owner", "words": "Go"}}, "the deal's owner is told: “Go”"),
        ({"notify": {"to": "partners", "words": "Go"}}, "the deal's partners are told: “Go”"),
        (
            {"notify": {"to": "role", "role": "deal_desk", "words": "Go"}},
            "everybody in the role deal desk is told: “Go”",
        ),
        (REVIEW, "“Solution review” is asked for, of sales director"),
        (
            {"approval": {"title": "R", "approvers": [{"manager": True}, {"role": "finance"}]}},
            "“R” is asked for, of finance or the owner's manager",
        ),
        (
            {"approval": {"title": "R", "approvers": [{"person": "cfo@vendor.example"}]}},
            "“R” is asked for, of the approvers",
        ),
        ({"campaign": {"key": "c", "step": "s"}}, "the step s of the campaign c begins"),
        (
            {"webhook": {"url": "https://hooks.example/secret", "event": "x.y"}},
            "hooks.example is told of x.y",
        ),
    ],
)
def test_what_it_does_is_said_in_words_that_name_nobody(trigger: dict[str, Any], what: str):
    assert Trigger.model_validate_json(Trigger.model_validate(trigger).model_dump_json()).what == what


def test_a_partner_reads_of_tasks_and_of_what_it_is_told():
    playbook = book(
        REVIEW,
        {"task": a_task("book-room")},
        {"notify": {"to": "partners", "words": "Come"}},
        {"notify": {"to": "manager", "words": "Look"}},
        {"webhook": {"url": "https://hooks.example/secret", "event": "x"}},
    )
    assert playbook.as_read_by(Side.VENDOR) == playbook
    read = playbook.as_read_by(Side.PARTNER)
    assert [each.kind for each in read.stages[1].on_enter] == [TriggerKind.TASK, TriggerKind.NOTIFY]
    assert "secret" not in read.model_dump_json()
