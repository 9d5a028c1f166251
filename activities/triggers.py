"""What a playbook's triggers ask of the world: whether their rules hold, and to call programs elsewhere."""

from __future__ import annotations

import json
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.opportunity.triggers import TriggerAnswers, TriggerQuestion, WebhookCall, answered
from runtime import cel
from runtime.ids import new_id
from runtime.settings import Settings
from runtime.webhook import NotDelivered, Webhooks
from workflows.trigger_messages import CALL_WEBHOOK, JUDGE_TRIGGERS


@activity.defn(name=JUDGE_TRIGGERS)
async def judge_triggers(question: TriggerQuestion) -> TriggerAnswers:
    """Which triggers fire; one whose rule cannot be answered does not."""
    return answered(question, _holds, new_id)


def _holds(rule: str, facts: dict[str, Any]) -> bool:
    try:
        return cel.evaluate(rule, facts)
    except cel.RuleFailed as error:
        activity.logger.warning("The rule %r of a trigger cannot be answered: %s", rule, error)
        return False


class TriggerActivities:
    """Calls the programs that playbooks name."""

    def __init__(self, settings: Settings) -> None:
        self._webhooks = Webhooks(settings)

    @activity.defn(name=CALL_WEBHOOK)
    async def call_webhook(self, call: WebhookCall) -> None:
        """Tell a program what happened; it knows by `call.id` that it was told before.

        Raises:
            ApplicationError: it was not told, as a sentence; what trying again would not help is final.
        """
        told = {"type": call.event, "timestamp": call.at.isoformat(), "data": call.data}
        try:
            await self._webhooks.call(call.url, call.id, json.dumps(told))
        except NotDelivered as error:
            raise ApplicationError(
                error.words, type="not_delivered", non_retryable=error.final, next_retry_delay=error.again_in
            ) from error
