"""Telling a deal how its request stands, from outside of workflows: the request does it by an activity."""

from __future__ import annotations

from temporalio.client import Client, WorkflowUpdateStage
from temporalio.service import RPCError, RPCStatusCode

from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
from workflows.messages import workflow_id


async def tell_deal(client: Client, result: ApprovalResult) -> None:
    """Let the deal take the news, the same news once; one that has ended hears nothing any more.

    Raises `RPCError` where Temporal does not answer, or the deal's run ends at that moment.
    """
    if result.subject.opportunity_id is None:
        return
    deal = client.get_workflow_handle(workflow_id(result.subject.opportunity_id))
    try:
        await deal.start_update(
            APPROVAL_ENDED,
            result,
            id=f"approval-{result.approval_id}-{result.version}",
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,  # it is in the deal's history then
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
