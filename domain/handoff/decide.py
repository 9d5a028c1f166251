"""Decisions about a hand-off's process: who receives it, follow-ups, the contract's end, its own end."""

from __future__ import annotations

from domain.dates import dated
from domain.errors import (
    FollowUpDone,
    Forbidden,
    HandOffEnded,
    HandOffNotAccepted,
    InvalidInput,
    NotFound,
    RenewalOpen,
)
from domain.handoff import commands as ask
from domain.handoff import events as did
from domain.handoff.clocks import can_receive
from domain.handoff.draft import Draft
from domain.handoff.state import FollowUpState, HandOffProcess
from domain.opportunity.guards import later
from domain.principal import Action

MAX_FOLLOW_UPS = 100
"""Follow-ups of one hand-off: more is a support case."""


def _still_open(process: HandOffProcess) -> None:
    """Raises: HandOffEnded, with how, by whom and when."""
    if process.ended is not None:
        raise HandOffEnded(
            f"The hand-off of “{process.facts.title}” has ended: "
            f"{process.ended.reason.label.lower()}, {process.ended.by.name}, {dated(process.ended.at)}.",
            reason=process.ended.reason.value,
        )


def _customer_success(draft: Draft, what: str) -> None:
    if not draft.by.may(Action.ACCEPT_HANDOFF):
        raise Forbidden(f"Customer success {what}.")
    _still_open(draft.process)


def _accepted(process: HandOffProcess) -> None:
    if not process.is_accepted:
        raise HandOffNotAccepted(
            f"The hand-off of “{process.facts.title}” is not accepted yet: accept it, or return it, first."
        )


def assign(draft: Draft, command: ask.Assign) -> None:
    _customer_success(draft, "says who receives a hand-off")
    to, process = command.to, draft.process
    if to is not None and not can_receive(to.roles):
        raise InvalidInput(
            f"{to.name} does not work in customer success; choose somebody who does.", pointer="/user_id"
        )
    receiver = to.person if to else None
    if receiver != process.receiver:
        draft.add(did.ReceiverAssigned(receiver=receiver, before=process.receiver))


def log_follow_up(draft: Draft, command: ask.LogFollowUp) -> None:
    _customer_success(draft, "follows up with the customer")
    process = draft.process
    _accepted(process)
    known = process.follow_up(command.key) if command.key is not None else None
    if command.key is not None and known is None:
        raise NotFound(f"This hand-off has no follow-up “{command.key}”.")
    if known is not None and known.state is FollowUpState.DONE:
        raise FollowUpDone(f"“{known.title}” is logged already. Log another one without naming it.")
    if known is None and len(process.follow_ups) >= MAX_FOLLOW_UPS:
        raise InvalidInput(f"A hand-off has at most {MAX_FOLLOW_UPS} follow-ups.")
    draft.add(
        did.FollowUpLogged(
            key=known.key if known else f"follow-up-{len(process.follow_ups) + 1}",
            title=known.title if known else "Check-in with the customer",
            extra=known is None,
            health=command.health,
            note=command.note,
            next_step=command.next_step,
        )
    )


def set_contract(draft: Draft, command: ask.SetContract) -> None:
    """Whoever sold it may say it too. It decides when the renewal opens."""
    if not (draft.by.may(Action.ACCEPT_HANDOFF) or draft.by.may(Action.MANAGE_OPPORTUNITY)):
        raise Forbidden("Customer success and the vendor's sales people say when the contract ends.")
    process = draft.process
    _still_open(process)
    if process.renewal is not None:
        raise RenewalOpen(f"“{process.renewal.title}” is open already: go on there.")
    later(command.ends, draft.now, "The contract", pointer="/contract_ends")
    if command.ends != process.contract_ends:
        draft.add(did.ContractSet(ends=command.ends, before=process.contract_ends))


def close(draft: Draft, command: ask.Close) -> None:
    _customer_success(draft, "closes a hand-off")
    _accepted(draft.process)
    draft.add(did.Closed(reason=command.reason, note=command.note))
