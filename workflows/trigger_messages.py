"""What goes in and out of a deal's process about triggers.

In a file of its own, for the reason that `workflows.messages` gives.
"""

from __future__ import annotations

from pydantic import BaseModel

from domain.opportunity.triggers import WebhookCall

JUDGE_TRIGGERS = "judge_triggers"
CALL_WEBHOOK = "call_webhook"

WEBHOOK_FAILED = "webhook_failed"
"""The signal of a deal's workflow that takes a `WebhookFailure`: a program could not be told."""


def webhook_call_id(call: WebhookCall) -> str:
    """The same for the same firing of a trigger, so that it is called once."""
    return f"trigger-{call.id}"


class WebhookFailure(BaseModel):
    """A program that could not be told, and why, as a sentence for the timeline."""

    call: WebhookCall
    why: str
