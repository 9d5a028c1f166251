"""What a deal's process starts beside itself when triggers have fired: approvals, and calls of programs."""

from __future__ import annotations

import contextlib

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.opportunity.draft import Outcome
    from domain.opportunity.stage_approvals import newly_asked, requester, submission
    from domain.opportunity.state import Opportunity
    from domain.opportunity.triggers import calls
    from workflows.companions import start_approval
    from workflows.trigger_messages import webhook_call_id


async def follow_triggers(before: Opportunity | None, outcome: Outcome) -> None:
    """Start what fired, after it is recorded; each is a process that lives on without the deal's."""
    await _start_approvals(before, outcome.opportunity)
    await _call_webhooks(outcome)


async def _start_approvals(before: Opportunity | None, deal: Opportunity) -> None:
    for approval in newly_asked(before, deal):
        submit = submission(deal, approval)
        if submit is not None:
            await start_approval(submit, requester(deal))


async def _call_webhooks(outcome: Outcome) -> None:
    """A receiver that is down delays nothing here; one that was started before is not started again."""
    for call in calls(outcome):
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                "WebhookCallWorkflow",
                call,
                id=webhook_call_id(call),
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"{call.event} → {call.host}"[:200],
            )
