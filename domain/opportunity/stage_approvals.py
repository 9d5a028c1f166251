"""Approvals that a stage waits for: asked by a trigger, decided on elsewhere, asked anew by people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.approval.commands import Submit
from domain.approval.policy import StepTemplate
from domain.approval.state import ApprovalState, Subject
from domain.calendar import after
from domain.errors import Conflict, NotFound
from domain.opportunity import commands as ask
from domain.opportunity import events as did
from domain.opportunity.blockers import awaited_approvals
from domain.opportunity.draft import Draft, Outcome
from domain.opportunity.facts import facts
from domain.opportunity.guards import demand, selling
from domain.opportunity.stages import calendar_of, due, settle
from domain.opportunity.state import Opportunity
from domain.opportunity.trigger_state import StageApproval, StageApprovalState, TriggerPlace
from domain.principal import SYSTEM, Action, Actor, Side
from domain.span import parse_business
from domain.trigger import StageApprovalTemplate

KIND = "stage"
"""What such a request is called among all approvals."""
STEP = "stage"
EXPIRES = "30d"
"""After that nobody is asked any more."""


def ask_for(
    draft: Draft,
    place: TriggerPlace,
    template: StageApprovalTemplate,
    new_id: UUID,
    instead_of: UUID | None = None,
) -> None:
    """The stage that the deal is in waits for an approval from now on."""
    deal = draft.deal
    approval = StageApproval(
        id=new_id,
        place=place,
        stage=deal.stage.key,
        visit=deal.stage.entered_at,
        title=template.title,
        asked=template.asked,
        asked_at=draft.now,
        due_at=due(deal, draft.now, template.due),
    )
    draft.add(did.StageApprovalAsked(approval=approval, instead_of=instead_of))


def ask_again(draft: Draft, command: ask.AskStageApproval) -> None:
    """After a no, or when nobody decided: the same is asked anew, as another request.

    Raises:
        NotFound: the stage waits for no such approval.
        Conflict: it is being decided on, or was given.
    """
    demand(draft.by, Action.MANAGE_OPPORTUNITY, "Only the vendor's sales people ask for approvals again.")
    selling(draft.deal)
    deal = draft.deal
    approval = next((each for each in awaited_approvals(deal) if each.id == command.approval_id), None)
    template = approval.template(deal.playbook) if approval else None
    if approval is None or template is None:
        raise NotFound("This stage waits for no such approval.")
    if approval.state is StageApprovalState.PENDING:
        raise Conflict(f"“{approval.title}” is being decided on, by {approval.asked}.")
    if any(each.id == command.id for each in deal.stage_approvals):
        raise Conflict("This was asked for already.")
    ask_for(draft, approval.place, template, command.id, instead_of=approval.id)


def follow(draft: Draft) -> None:
    """Nobody decides any more on a stage that was left by a move, or on a deal that is closed."""
    deal = draft.deal
    waits = {each.id for each in awaited_approvals(deal)}
    for approval in deal.stage_approvals:
        if approval.state.is_open and (deal.is_closed or approval.id not in waits):
            why = f"the deal is {deal.status.value}." if deal.is_closed else "its stage was left."
            _turn(draft, approval, StageApprovalState.WITHDRAWN, why)


def approval_ended(
    deal: Opportunity, approval_id: UUID, state: ApprovalState, comment: str | None, now: datetime
) -> Outcome:
    """How the approval stands; nothing where that is known, or it is not waited for any more."""
    draft = Draft(deal, now, SYSTEM)
    approval = next((each for each in deal.stage_approvals if each.id == approval_id), None)
    told = StageApprovalState(_TOLD.get(state, state.value))
    if approval is not None and approval.state.is_open and approval.state is not told:
        _turn(draft, approval, told, comment)
        settle(draft)
    return draft.outcome()


_TOLD = {ApprovalState.COUNTERED: StageApprovalState.RETURNED.value}
"""There is nothing to offer instead; the owner is awaited all the same."""


def _turn(draft: Draft, approval: StageApproval, state: StageApprovalState, comment: str | None) -> None:
    draft.add(
        did.StageApprovalTurned(approval_id=approval.id, title=approval.title, state=state, comment=comment),
        by=SYSTEM,
    )


def newly_asked(before: Opportunity | None, after: Opportunity) -> list[StageApproval]:
    """The approvals to start."""
    known = {each.id for each in before.stage_approvals} if before else set()
    return [
        each
        for each in after.stage_approvals
        if each.id not in known and each.state is StageApprovalState.PENDING
    ]


def no_longer_wanted(before: Opportunity | None, after: Opportunity) -> list[tuple[UUID, str]]:
    """The approvals of which nobody waits for the end any more, and why."""
    kept = {each.id: each for each in after.stage_approvals}
    found = []
    for each in before.stage_approvals if before else ():
        now = kept.get(each.id)
        if each.state.is_open and (now is None or now.state is StageApprovalState.WITHDRAWN):
            why = now.comment if now else f"{after.stage_title} waits for another request, or was left."
            found.append((each.id, f"Nobody needs it any more: {why}"))
    return found


def waiting(deal: Opportunity) -> list[UUID]:
    """The approvals that are being decided on."""
    return [each.id for each in deal.stage_approvals if each.state.is_open]


def requester(deal: Opportunity) -> Actor:
    """In whose name it is asked: the owner's, so that the owner answers questions and does not decide."""
    if deal.owner is None:
        return SYSTEM
    return Actor(id=deal.owner.id, name=deal.owner.name, side=Side.VENDOR)


def submission(deal: Opportunity, approval: StageApproval) -> Submit | None:
    """What the approval is asked: one step, as the playbook has it."""
    template = approval.template(deal.playbook)
    if template is None:
        return None
    step = StepTemplate(key=STEP, title=template.title, approvers=template.rules, due=template.due)
    stage = deal.playbook.template(approval.stage).title
    asked = facts(deal)
    return Submit(
        id=approval.id,
        subject=Subject(
            kind=KIND,
            title=f"{template.title}: {deal.title}"[:200],
            opportunity_id=deal.id,
            opportunity=deal.title,
        ),
        facts={
            **asked,
            "currency": asked["deal"]["currency"],
            "customer": asked["deal"]["customer"],
        },
        steps=(step,),
        fired=(STEP,),
        reason=template.words or f"The playbook asks for it before {stage} is left.",
        expires_at=after(calendar_of(deal), approval.asked_at, parse_business(EXPIRES)),
    )
