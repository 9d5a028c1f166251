"""Telling a deal how its request stands, from outside of workflows: the request does it by an activity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflows.approval_messages import APPROVAL_ENDED, ApprovalResult
from workflows.messages import workflow_id

Tell = Callable[[ApprovalResult], Awaitable[None]]
"""`tell_deal` over a client; raises as that does where the news were not heard."""


async def tell_deal(client: Client, result: ApprovalResult) -> None:
    """Let the deal take the news, the same news once; one that has ended hears nothing any more.

    Raises:
        ApplicationError: the deal refuses it, however often it is told.
        TemporalError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError: it was not heard this time:
            Temporal or the deal's worker is away, or does not know the update yet, or the deal's run ends.
    """
    if result.subject.opportunity_id is None:
        return
    deal = client.get_workflow_handle(workflow_id(result.subject.opportunity_id))
    try:
        await deal.execute_update(
            APPROVAL_ENDED, result, id=f"approval-{result.approval_id}-{result.version}"
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    except WorkflowUpdateFailedError as failed:
        if isinstance(failed.cause, ApplicationError) and failed.cause.non_retryable:
            raise failed.cause from failed
        raise
