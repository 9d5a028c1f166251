"""The processes that stand beside a deal's: its approvals, and the hand-off. What they hear of the deal.

Each lives on whatever becomes of the deal's run.
"""

from __future__ import annotations

import contextlib
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import TemporalError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.approval.commands import Submit
    from domain.handoff.news import news
    from domain.opportunity.decide_discount import no_longer_wanted, owner_is_another
    from domain.opportunity.discounts import find
    from domain.opportunity.draft import Outcome
    from domain.opportunity.stage_approvals import no_longer_wanted as stages_left
    from domain.opportunity.stage_approvals import waiting
    from domain.opportunity.state import Opportunity
    from domain.principal import Actor
    from workflows.approval_messages import (
        PEOPLE_CHANGED,
        WITHDRAW,
        ApprovalStart,
        Submission,
        Withdrawal,
        approval_workflow_id,
    )
    from workflows.handoff_messages import HEARD, HandOffStart, handoff_workflow_id


async def start_approval(submit: Submit, by: Actor) -> None:
    """Ask for something: the approval is a process of its own from now on."""
    await workflow.start_child_workflow(
        "ApprovalWorkflow",
        ApprovalStart(submission=Submission(command=submit, by=by)),
        id=approval_workflow_id(submit.id),
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        static_summary=submit.subject.title,
    )


async def start_discount_approvals(submissions: list[Submit], deal: Opportunity) -> None:
    """Start those that were submitted, each once: `submissions` is empty afterwards."""
    while submissions:
        submit = submissions.pop(0)
        discount = find(deal, submit.subject.discount_id)
        if discount is not None:
            await start_approval(submit, discount.requested_by)


async def withdraw_approvals(before: Opportunity | None, deal: Opportunity) -> None:
    """Tell the approvals of requests that nobody wants any more; one that has ended hears nothing."""
    for approval_id, reason in (*no_longer_wanted(before, deal), *stages_left(before, deal)):
        handle = workflow.get_external_workflow_handle(approval_workflow_id(approval_id))
        with contextlib.suppress(TemporalError):
            await handle.signal(WITHDRAW, Withdrawal(reason=reason))


async def say_that_the_owner_is_another(before: Opportunity | None, deal: Opportunity) -> None:
    """Who owns the deal does not decide on it: the approvals that wait look for somebody else."""
    discount = owner_is_another(before, deal)
    if discount is not None and workflow.patched("approvals-hear-of-owners"):
        await _look_anew(discount)
    if before is not None and before.owner != deal.owner:
        for approval_id in waiting(deal):
            await _look_anew(approval_id)


async def _look_anew(approval_id: UUID) -> None:
    """Let an approval find out again who may decide."""
    handle = workflow.get_external_workflow_handle(approval_workflow_id(approval_id))
    with contextlib.suppress(TemporalError):
        await handle.signal(PEOPLE_CHANGED)


async def tell_the_handoff(before: Opportunity | None, outcome: Outcome) -> None:
    """After winning, the hand-off is a process of its own: it goes on when the deal's has ended."""
    told = news(before, outcome)
    if told is None or not workflow.patched("hand-off-process"):
        return
    name = handoff_workflow_id(outcome.opportunity.id)
    if before is not None and before.handoff is not None:
        with contextlib.suppress(TemporalError):
            await workflow.get_external_workflow_handle(name).signal(HEARD, told)
            return
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await workflow.start_child_workflow(
            "HandOffWorkflow",
            HandOffStart(news=told),
            id=name,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"Hand-off: {outcome.opportunity.title}",
        )
