"""A request as its page and the lists show it: numbers, chain, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.approval.state import (
    AlarmKind,
    Approval,
    ApprovalState,
    Decision,
    Facts,
    Step,
    StepState,
    Verdict,
)
from domain.approval.verbs import Verb
from domain.dates import dated
from domain.opportunity.wording import listed
from domain.percent import shown
from domain.principal import Principal

TONES = {
    ApprovalState.PENDING: ("open", "hourglass"),
    ApprovalState.APPROVED: ("good", "circle-check"),
    ApprovalState.REJECTED: ("bad", "circle-x"),
    ApprovalState.RETURNED: ("warn", "undo-2"),
    ApprovalState.COUNTERED: ("warn", "arrow-right-left"),
    ApprovalState.RECALLED: ("plain", "ban"),
    ApprovalState.EXPIRED: ("plain", "clock"),
}
"""The colour and the picture of each state; the word stands beside them."""

_STEP_TONES = {
    StepState.WAITING: ("plain", "circle-dashed", "Waits"),
    StepState.OPEN: ("open", "hourglass", "To decide"),
    StepState.APPROVED: ("good", "check", "Approved"),
    StepState.REJECTED: ("bad", "x", "Rejected"),
    StepState.SKIPPED: ("plain", "ban", "Not decided"),
    StepState.NOT_NEEDED: ("plain", "ban", "Not needed"),
}
_SAID = {
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.RETURN: "returned it",
    Verdict.COUNTER: "offered",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in a list of facts, which may be below 0."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a discount comes to. Margins are there only for those who may know them."""

    percent: str
    standard: str
    beyond: str
    amount: Amount
    value: Amount
    net: Amount
    margin_percent: str | None
    margin: Amount | None
    below_cost: bool
    competing: Amount | None
    competitor: str | None
    tier: str | None

    @property
    def net_beats_competitor(self) -> bool | None:
        """Whether the net price is not above what the competitor asks; None where that is not known."""
        return self.net.amount <= self.competing.amount if self.competing else None


def numbers(facts: Facts, percent: Decimal | None = None) -> Numbers | None:
    """The numbers of a discount in its facts; for another percentage where one is given.

    None where the request is about something else.
    """
    asked, deal = _group(facts, "discount"), _group(facts, "deal")
    if not asked or "percent" not in asked:
        return None
    currency = str(facts.get("currency") or deal.get("currency") or "USD")
    at = percent if percent is not None else _decimal(asked["percent"])
    standard = _decimal(asked.get("standard"))
    amount = _decimal(deal.get("amount"))
    value = (amount * at / 100).quantize(Decimal("0.01"))
    margin = _group(facts, "margin")
    left = amount - value - _decimal(margin.get("cost")) if margin.get("known") else None
    net = amount - value
    competing = _decimal(asked.get("competing_price")) if asked.get("has_competing_price") else None
    return Numbers(
        percent=shown(at),
        standard=shown(standard),
        beyond=shown(max(at - standard, Decimal(0))),
        amount=Amount(amount, currency),
        value=Amount(value, currency),
        net=Amount(net, currency),
        margin_percent=shown((left / net * 100).quantize(Decimal("0.1")))
        if left is not None and net
        else None,
        margin=Amount(left, currency) if left is not None else None,
        below_cost=left is not None and left < 0,
        competing=Amount(competing, currency) if competing is not None else None,
        competitor=asked.get("competitor") or None,
        tier=_group(facts, "partner").get("tier") or None,
    )


def _group(facts: Facts, name: str) -> dict[str, Any]:
    found = facts.get(name)
    return found if isinstance(found, dict) else {}


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)


@dataclass(frozen=True, slots=True)
class Gate:
    """A step of the chain: how it stands, and who has said what."""

    step: Step
    tone: str
    icon: str
    words: str
    mine: bool
    wants: str
    comes_after: str
    said: list[Said]
    next_alarm: str | None
    alarm_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """A decision in words."""

    decision: Decision
    words: str


def chain(steps: tuple[Step, ...], principal: Principal) -> list[Gate]:
    """The steps in order."""
    titles = {step.key: step.title for step in steps}
    return [_gate(step, titles, principal) for step in steps]


def _gate(step: Step, titles: dict[str, str], principal: Principal) -> Gate:
    tone, icon, words = _STEP_TONES[step.state]
    alarm = next((each for each in step.alarms if not each.done), None) if step.is_open else None
    waits = step.state is StepState.WAITING
    return Gate(
        step=step,
        tone=tone,
        icon=icon,
        words=words,
        mine=step.is_open and step.seat(principal.id) is not None,
        wants=_wants(step),
        comes_after=listed((titles[key] for key in step.after if key in titles), "and") if waits else "",
        said=[Said(each, _said(each)) for each in step.decisions],
        next_alarm=("Reminder" if alarm.kind is AlarmKind.REMIND else "Escalates") if alarm else None,
        alarm_at=alarm.at if alarm else None,
    )


def _wants(step: Step) -> str:
    """How many have to agree, where that is not one."""
    if step.needs == "all":
        return "all have to agree"
    return f"{step.wanted} have to agree" if step.wanted > 1 else ""


def _said(decision: Decision) -> str:
    words = _SAID[decision.verdict]
    if decision.percent is not None:
        words += f" {shown(decision.percent)} %"
    if decision.stands_in_for is not None:
        words += f" for {decision.stands_in_for.name}"
        if decision.until is not None:
            words += f", who is away until {dated(decision.until)}"
    return words


def outcome(after: Approval, verb: Verb) -> str:
    """What a command led to, in a sentence for the next page."""
    if after.state is ApprovalState.APPROVED:
        return f"{after.title} is approved."
    if verb is Verb.APPROVE:
        waiting = listed((step.title for step in after.open_steps()), "and")
        return f"You approved {after.title}. " + (f"It waits for {waiting} now." if waiting else "")
    return {
        Verb.COUNTER: f"Your offer went to {after.requester.name}.",
        Verb.RETURN: f"{after.requester.name} is asked for changes.",
        Verb.REJECT: f"{after.title} is rejected."
        if not after.is_open
        else "You rejected it; others decide on.",
        Verb.DELEGATE: "Your colleague is asked to decide.",
        Verb.ACCEPT: "You took the offer; others are asked now.",
        Verb.RESUBMIT: "Submitted again.",
        Verb.RECALL: "The request is taken back.",
    }[verb]


def too_late(approval: Approval) -> str:
    """Why nothing can be said to it any more, in a sentence."""
    by = f" by {approval.ended_by}" if approval.ended else ""
    return f"Too late: {approval.title} was {approval.state.value}{by} meanwhile."


def ending(approval: Approval) -> str:
    """How it ended and who said so; empty while it is open."""
    if approval.ended is None:
        return ""
    who = approval.ended_by
    if approval.took_offer:
        return f"Approved; {approval.ended.by.name} took the offer of {who}"
    return {
        ApprovalState.APPROVED: f"Approved; {who} decided last",
        ApprovalState.REJECTED: f"Rejected by {who}",
        ApprovalState.RECALLED: f"Taken back by {who}",
        ApprovalState.EXPIRED: "Nobody decided in time",
    }.get(approval.state, "")
