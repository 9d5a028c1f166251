"""Deals whose playbook has triggers, and the approvals that their stages wait for, without a server."""

from __future__ import annotations

from typing import Any

from domain.approval.state import ApprovalState
from domain.notice import NoticeKind
from domain.opportunity import commands as ask
from domain.opportunity import stage_approvals
from domain.opportunity.draft import Outcome
from domain.opportunity.notices import messages
from domain.playbook import Playbook
from tests.factories import (
    Working,
    a_deal,
    a_playbook,
    a_stage,
    a_task,
)

REVIEW = {"approval": {"title": "Solution review", "role": "sales_director", "due": "1d"}}


def book(*on_enter: dict[str, Any], on_leave: tuple[dict[str, Any], ...] = (), **more: Any) -> Playbook:
    """Three stages, the second of which has these triggers as it begins; the first as it is left."""
    return a_playbook(
        stages=[
            a_stage("talk", a_task("call"), on_leave=list(on_leave)),
            a_stage("show", a_task("demo"), on_enter=list(on_enter), **more),
            a_stage("close", a_task("sign")),
        ]
    )


def shown(*on_enter: dict[str, Any], **more: Any) -> Working:
    """A deal that has just entered the stage with these triggers."""
    leave = more.pop("on_leave", ())
    stage = more.pop("stage", {})
    return a_deal(playbook=book(*on_enter, on_leave=leave, **stage), at="show", **more)


def told(deal: Working) -> list[Any]:
    """What people are told by the triggers."""
    outcome = Outcome(opportunity=deal.deal, entries=tuple(deal.entries))
    return [each for each in messages(outcome) if each.kind is NoticeKind.TRIGGERED]


def back_and_again(deal: Working) -> Working:
    deal.later(hours=1).ask(ask.Move(stage="talk", reason="Not yet"))
    return deal.later(hours=1).ask(ask.Move(stage="show", reason="Now"))


def decided(deal: Working, state: ApprovalState, comment: str | None = None) -> Working:
    """The approval that was asked for last is decided."""
    asked = deal.deal.stage_approvals[-1].id
    outcome = stage_approvals.approval_ended(deal.deal, asked, state, comment, deal.now)
    deal.deal = outcome.opportunity
    deal.entries.extend(outcome.entries)
    return deal


def nothing_holds(rule: str, facts: dict[str, Any]) -> bool:
    """A judge for playbooks without rules."""
    return False
