"""Telling one program that a stage began or ended: one workflow, `trigger-{deal}-{sequence}`.

It stands beside the deal, so that a receiver that is down for hours delays nothing there.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, TemporalError

with workflow.unsafe.imports_passed_through():
    from domain.opportunity.triggers import WebhookCall
    from workflows.messages import workflow_id
    from workflows.trigger_messages import CALL_WEBHOOK, WEBHOOK_FAILED, WebhookFailure

GIVEN_UP_AFTER = timedelta(hours=12)
_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=10), backoff_coefficient=2.0, maximum_interval=timedelta(hours=1)
)


@workflow.defn
class WebhookCallWorkflow:
    """One call. It ends when the program has answered, or nobody tries any more; then the deal is told."""

    @workflow.run
    async def run(self, call: WebhookCall) -> None:
        try:
            await workflow.execute_activity(
                CALL_WEBHOOK,
                call,
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=GIVEN_UP_AFTER,
                retry_policy=_RETRIES,
                summary=f"{call.event} → {call.host}"[:200],
            )
        except ActivityError as error:
            await self._tell_deal(WebhookFailure(call=call, why=_why(error)))

    async def _tell_deal(self, failure: WebhookFailure) -> None:
        """A deal that has ended hears nothing any more."""
        deal = workflow.get_external_workflow_handle(workflow_id(failure.call.opportunity_id))
        with contextlib.suppress(TemporalError):
            await deal.signal(WEBHOOK_FAILED, failure)


def _why(error: ActivityError) -> str:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return cause.message
    return f"it did not answer within {GIVEN_UP_AFTER // timedelta(hours=1)} hours"
