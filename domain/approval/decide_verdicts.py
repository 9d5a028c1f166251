"""What approvers say: approve, reject, return, counter; and whom they give their seat to."""

from __future__ import annotations

from typing import Any

from domain.approval import commands as ask
from domain.approval import events as did
from domain.approval.draft import Draft
from domain.approval.guards import Seats, seats_of
from domain.approval.state import Approver, Channel, Decision, Step, Verdict
from domain.errors import InvalidInput
from domain.made import made
from domain.opportunity.guards import ahead
from domain.opportunity.state import Person
from domain.percent import shown
from domain.principal import Actor, Side


def _decision(
    draft: Draft, seat: Approver, verdict: Verdict, channel: Channel | None, **more: Any
) -> Decision:
    return made(
        Decision,
        by=_person(draft.by, seat),
        verdict=verdict,
        at=draft.now,
        via=seat.via,
        stands_in_for=seat.stands_in_for,
        until=seat.until,
        channel=channel,
        **more,
    )


def _person(by: Actor, seat: Approver) -> Person:
    return made(Person, id=seat.id, name=by.name)


def approve(draft: Draft, command: ask.Approve, channel: Channel | None) -> None:
    """Agree on every step where one sits, or on the named one."""
    for step, seat in seats_of(draft.approval, draft.by, command.step):
        said = _decision(draft, seat, Verdict.APPROVE, channel, comment=command.comment)
        draft.add(
            made(did.StepDecided, key=step.key, title=step.title, decision=said, policy=draft.approval.policy)
        )


def reject(draft: Draft, command: ask.Reject, channel: Channel | None) -> None:
    """One no ends the request, unless a number is wanted that enough others can still reach."""
    seats = seats_of(draft.approval, draft.by, command.step)
    for step, seat in sorted(seats, key=lambda each: not _is_veto(each[0])):
        said = _decision(draft, seat, Verdict.REJECT, channel, comment=command.comment)
        if _is_veto(step):
            draft.add(did.Rejected(what=draft.approval.title, step=step.key, decision=said))
            return
        draft.add(
            made(
                did.StepDecided,
                key=step.key,
                title=step.title,
                decision=said,
                policy=draft.approval.policy,
            )
        )


def _is_veto(step: Step) -> bool:
    """Whether with one more no it cannot come about that as many agree as are wanted."""
    counts = isinstance(step.needs, int) and step.wanted > 1
    return not counts or step.approvals + len(step.approvers) - 1 < step.wanted


def return_(draft: Draft, command: ask.Return, channel: Channel | None) -> None:
    step, seat = seats_of(draft.approval, draft.by, command.step)[0]
    said = _decision(draft, seat, Verdict.RETURN, channel, comment=command.comment)
    draft.add(did.Returned(what=draft.approval.title, comment=command.comment, step=step.key, decision=said))


def counter(draft: Draft, command: ask.Counter, channel: Channel | None) -> None:
    approval = draft.approval
    step, seat = seats_of(approval, draft.by, command.step)[0]
    if approval.percent is None:
        raise InvalidInput("What is asked for has no percent: approve, reject or return it.")
    if not 0 < command.percent < approval.percent:
        raise InvalidInput(
            f"A counter-offer is more than 0 % and less than the {shown(approval.percent)} % asked for.",
            pointer="/percent",
        )
    said = _decision(draft, seat, Verdict.COUNTER, channel, comment=command.comment, percent=command.percent)
    draft.add(did.Countered(what=approval.title, step=step.key, decision=said, percent=command.percent))


def delegate(draft: Draft, command: ask.DelegateSeat, _channel: Channel | None) -> None:
    """Give the seat to a colleague, on this request only. The colleague's right is checked afterwards."""
    seats = seats_of(draft.approval, draft.by, command.step)
    ahead(command.until, draft.now, "The end of the delegation", pointer="/until")
    _may_take(draft, command.to, seats)
    for step, seat in seats:
        draft.add(
            did.SeatDelegated(
                key=step.key,
                title=step.title,
                seat=seat.id,
                absent=seat.stands_in_for or _person(draft.by, seat),
                to=command.to.person,
                until=command.until,
            )
        )


def _may_take(draft: Draft, to: ask.Delegate, seats: Seats) -> None:
    """Raises: InvalidInput, when this colleague cannot decide here."""
    if to.id == draft.by.id:
        why = "The decision is yours already; choose a colleague."
    elif to.side is not Side.VENDOR:
        why = f"{to.name} is with a partner; only the vendor's people decide."
    elif to.id in draft.approval.askers:
        why = f"{to.name} asked for this, or it was asked in their name; choose somebody else."
    elif any(step.seat(to.id) or step.decision_of(to.id) for step, _ in seats):
        why = f"{to.name} is asked already; choose somebody else."
    else:
        return
    raise InvalidInput(why, pointer="/to")
