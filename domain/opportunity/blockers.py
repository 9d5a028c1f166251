"""Why a deal does not move: what is missing, whose turn it is, since when, due when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime

from domain.dates import dated
from domain.discount.state import Discount
from domain.opportunity.discounts import pending
from domain.opportunity.state import HandOff, HandOffState, Opportunity, Task
from domain.opportunity.trigger_state import StageApproval, StageApprovalState
from domain.opportunity.wording import listed
from domain.playbook import Advance, Exit, ExitBy, Stage
from domain.principal import Actor, Side
from domain.value import Value


class Blocker(Value):
    """One thing that the deal waits for. `turn` is None where both sides may act."""

    code: str
    what: str
    turn: Side | None
    who: str
    since: AwareDatetime
    due_at: AwareDatetime | None = None
    task: str | None = None
    partner_id: UUID | None = None
    approval_id: UUID | None = None


def exit_of(deal: Opportunity) -> Exit:
    """The exit rule of the current stage; the hand-off leaves by acceptance, after its tasks."""
    stage = deal.stage_template
    return stage.exit if isinstance(stage, Stage) else Exit()


def _owner(deal: Opportunity) -> str:
    return deal.owner.name if deal.owner else "the vendor's owner (nobody yet)"


def _waits_for_task(deal: Opportunity, task: Task) -> Blocker:
    partner = deal.partner(task.partner_id)
    if task.side is Side.PARTNER and partner is None:
        role = f" ({task.partner_role.label})" if task.partner_role else ""
        return Blocker(
            code="partner_missing",
            what=f"“{task.title}” is a partner's task: add a partner{role} or do it yourself",
            turn=Side.VENDOR,
            who=_owner(deal),
            since=task.opened_at,
            due_at=task.due_at,
            task=task.key,
        )
    responsible = task.assignee or partner
    return Blocker(
        code="task_open",
        what=f"“{task.title}” is open",
        turn=task.side,
        who=responsible.name if responsible else _owner(deal),
        since=task.opened_at,
        due_at=task.due_at,
        task=task.key,
        partner_id=task.partner_id,
    )


def open_tasks(deal: Opportunity) -> list[Blocker]:
    """The required tasks of the current stage that are still open."""
    return [*_open_tasks(deal)]


def _open_tasks(deal: Opportunity) -> Iterator[Blocker]:
    for task in deal.stage_tasks():
        if task.required and task.is_open:
            yield _waits_for_task(deal, task)


def _ready_since(deal: Opportunity) -> datetime:
    """Since when the stage's tasks are closed."""
    closed = (task.closed_at for task in deal.stage_tasks() if task.required and task.closed_at)
    return max([deal.stage.entered_at, *closed])


def _waits_for_any_partner(deal: Opportunity) -> Blocker:
    """Both sides must agree, and there is one side only."""
    return Blocker(
        code="partner_missing",
        what=f"{deal.stage_title} is left when both sides agree: add a partner first",
        turn=Side.VENDOR,
        who=_owner(deal),
        since=deal.stage.entered_at,
        due_at=deal.stage.due_at,
    )


def _missing_agreements(deal: Opportunity) -> list[Blocker]:
    signed = {sign.side for sign in deal.stage.sign_offs}
    since = _ready_since(deal)
    missing = []
    for side in Side:
        if side in signed:
            continue
        if side is Side.PARTNER and not deal.partners:
            missing.append(_waits_for_any_partner(deal))
            continue
        partners = listed(partner.name for partner in deal.partners)
        missing.append(
            Blocker(
                code="sign_off_missing",
                what=f"The {side.value} has not agreed yet that {deal.stage_title} is finished",
                turn=side,
                who=_owner(deal) if side is Side.VENDOR else partners,
                since=since,
                due_at=deal.stage.due_at,
            )
        )
    return missing


def agreement_ahead(deal: Opportunity, stage: Stage) -> Blocker:
    """A later stage that both sides have to agree on, before the deal can be beyond it."""
    return Blocker(
        code="sign_off_missing",
        what=f"Neither side has agreed yet that {stage.title} is finished",
        turn=None,
        who="both sides",
        since=deal.stage.entered_at,
    )


def discount_blockers(deal: Opportunity, reader: Actor | None = None) -> list[Blocker]:
    """What keeps the deal because of its discounts: a request that waits, or more given than granted.

    What another partner gives, a partner's `reader` does not learn.
    """
    found = []
    waiting, outside = pending(deal), deal.discount_outside
    partner_id = reader.organisation_id if reader is not None and reader.side is Side.PARTNER else None
    if outside is not None and partner_id is not None:
        outside = outside.read_by(partner_id)
    if waiting is not None and partner_id is not None and waiting.partner_id not in (None, partner_id):
        found.append(_waits_for_another_partners(waiting, deal))
    elif waiting is not None:
        back = waiting.state.is_back
        side = waiting.requested_by.side if back else Side.VENDOR
        said = "is back with its requester" if back else "waits for approval"
        holder = waiting.held_by(told_to_vendor=partner_id is None)
        found.append(
            Blocker(
                code="discount_pending",
                what=f"A discount of {waiting.percent} % {said}",
                turn=side,
                who=holder or "the approvers",
                since=waiting.requested_at,
                due_at=waiting.decide_by,
                partner_id=waiting.requested_by.organisation_id if side is Side.PARTNER else None,
            )
        )
    if outside is not None:
        found.append(
            Blocker(
                code="discount_outside_grant",
                what=(
                    f"What is given off is not covered: {'; '.join(outside.reasons)}. "
                    "Ask again, or change the deal back"
                ),
                turn=Side.VENDOR,
                who=_owner(deal),
                since=outside.since,
            )
        )
    return found


def _waits_for_another_partners(waiting: Discount, deal: Opportunity) -> Blocker:
    return Blocker(
        code="discount_pending",
        what="A discount of another partner is not decided yet",
        turn=Side.VENDOR,
        who=_owner(deal),
        since=waiting.requested_at,
    )


def waits_for_discounts(deal: Opportunity, stage: Stage) -> bool:
    """Whether the stage is left, or the deal won from it, only when its discounts are settled."""
    return stage.exit.discount is not None or deal.playbook.next_stage(stage.key) is None


def awaited_approvals(deal: Opportunity) -> list[StageApproval]:
    """What the stage still waits for, in this visit; whatever became of it, only a yes opens the gate."""
    return [
        each
        for each in deal.stage_approvals
        if (each.stage, each.visit) == (deal.stage.key, deal.stage.entered_at)
        and each.state is not StageApprovalState.APPROVED
    ]


def approval_blockers(deal: Opportunity) -> list[Blocker]:
    """What keeps the deal in its stage because somebody has to approve first."""
    return [_waits_for_approval(deal, each) for each in awaited_approvals(deal)]


def _waits_for_approval(deal: Opportunity, approval: StageApproval) -> Blocker:
    pending = approval.state is StageApprovalState.PENDING
    return Blocker(
        code="approval_pending" if approval.state.is_open else "approval_missing",
        what=f"“{approval.title}” {_APPROVAL_SAYS[approval.state]}",
        turn=Side.VENDOR,
        who=approval.asked if pending else _owner(deal),
        since=approval.ended_at or approval.asked_at,
        due_at=approval.due_at if pending else None,
        approval_id=approval.id,
    )


_ANEW = "ask for it again, or move the deal back"
_APPROVAL_SAYS = {
    StageApprovalState.PENDING: "waits for approval",
    StageApprovalState.RETURNED: "came back with a question: answer it and submit it again",
    StageApprovalState.REJECTED: f"was rejected: {_ANEW}",
    StageApprovalState.RECALLED: f"was taken back: {_ANEW}",
    StageApprovalState.EXPIRED: f"was not decided on in time: {_ANEW}",
    StageApprovalState.WITHDRAWN: f"was not decided on before the deal was closed: {_ANEW}",
}


def gate_blockers(deal: Opportunity) -> list[Blocker]:
    """What keeps the current stage's gate closed; empty when the gate is open."""
    return [*_gate(deal)]


def gate_is_open(deal: Opportunity) -> bool:
    """Whether nothing keeps the deal in its stage; quicker than to find all that does."""
    return next(_gate(deal), None) is None


def _gate(deal: Opportunity) -> Iterator[Blocker]:
    yield from _exit_blockers(deal)
    yield from approval_blockers(deal)
    stage = deal.playbook.stage(deal.stage.key)
    if stage and waits_for_discounts(deal, stage):
        yield from discount_blockers(deal)


def _exit_blockers(deal: Opportunity) -> Iterator[Blocker]:
    """What the stage's exit rule still waits for."""
    gate = exit_of(deal)
    if gate.by is ExitBy.RULE and deal.stage.rule_met:
        return
    finished = True
    for task in _open_tasks(deal):
        finished = False
        yield task
    if gate.by is ExitBy.RULE:
        asked = (gate.rule_in_words or gate.rule or "").rstrip(".")
        yield Blocker(
            code="rule_not_met",
            what=f"The rule to leave {deal.stage_title} is not met: {asked}",
            turn=None,
            who="both sides",
            since=deal.stage.entered_at,
            due_at=deal.stage.due_at,
        )
    elif finished and gate.by is ExitBy.SIGN_OFF:
        yield from _missing_agreements(deal)


def _waits_for_person(deal: Opportunity) -> Blocker:
    """The gate is open; what is missing is somebody who moves the deal on."""
    following = deal.playbook.next_stage(deal.stage.key)
    what = f"{deal.stage_title} is finished: " + (
        f"move the deal on to {following.title}" if following else "win the deal, or lose it"
    )
    return Blocker(
        code="ready_to_advance" if following else "ready_to_win",
        what=what,
        turn=Side.VENDOR,
        who=_owner(deal),
        since=_ready_since(deal),
        due_at=deal.stage.due_at,
    )


def _handoff_blockers(deal: Opportunity, handoff: HandOff) -> list[Blocker]:
    returned = handoff.state is HandOffState.RETURNED
    what = "Customer success has not accepted the hand-off yet"
    if returned:
        what = f"Customer success returned the hand-off: {handoff.note}"
    accept = Blocker(
        code="handoff_returned" if returned else "handoff_not_accepted",
        what=what,
        turn=Side.VENDOR,
        who=_owner(deal) if returned else "customer success",
        since=handoff.since,
        due_at=deal.stage.due_at,
    )
    return [*open_tasks(deal), accept]


def blockers(deal: Opportunity) -> list[Blocker]:
    """Everything the deal waits for, what is most urgent to know first; empty when it is closed."""
    if deal.is_closed:
        return []
    if deal.handoff is not None:
        return _handoff_blockers(deal, deal.handoff)
    if deal.hold is not None:
        until = f" until {dated(deal.hold.until)}" if deal.hold.until else ""
        return [
            Blocker(
                code="on_hold",
                what=f"The deal is on hold{until}: {deal.hold.reason}",
                turn=Side.VENDOR,
                who=_owner(deal),
                since=deal.hold.since,
                due_at=deal.hold.until,
            )
        ]
    return gate_blockers(deal) or [_waits_for_person(deal)]


def moves_by_itself(deal: Opportunity) -> bool:
    """Whether the deal goes to its next stage as soon as the gate is open.

    Where somebody moved it on purpose it stays, even if all was done there before:
    until a task is closed or reopened, or a person advances it.
    """
    gate = exit_of(deal)
    automatic = gate.advance is Advance.AUTOMATIC and not deal.stage.stays
    return automatic or gate.by is ExitBy.SIGN_OFF


def turn(deal: Opportunity) -> Side | None:
    """Whose turn it is: None when both sides may act, or when nobody has to."""
    return turn_of(blockers(deal))


def turn_of(waits: Sequence[Blocker]) -> Side | None:
    """Whose turn it is, for somebody who has the deal's blockers already."""
    if any(blocker.code == "handoff_returned" for blocker in waits):
        return Side.VENDOR  # what customer success asks for is the vendor's to bring together
    sides = {blocker.turn for blocker in waits}
    return sides.pop() if len(sides) == 1 else None
