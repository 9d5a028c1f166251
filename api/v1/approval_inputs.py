"""What the API takes about requests for approval."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.fields import Input, Instant, Reason, Words
from api.v1.discounts import WISH, DiscountInput
from api.v1.opportunity_shapes import DEAL
from api.v1.schemas import USER_ID, example_input
from domain.approval import commands as ask
from domain.discount.state import AskedPercent

StepKey = Annotated[
    str,
    Field(max_length=60, description="The step to decide on; without it, every open step where you may."),
]


class PreviewInput(DiscountInput):
    """A discount that might be asked for, and on which deal."""

    model_config = example_input({"opportunity_id": DEAL, **WISH})

    opportunity_id: UUID


class ApproveBody(Input):
    """Agree."""

    model_config = example_input({"comment": "A strategic account."})

    comment: Words | None = None
    step: StepKey | None = None

    def command(self) -> ask.Approve:
        return ask.Approve(comment=self.comment, step=self.step)


class RejectBody(Input):
    """Say no, and why."""

    model_config = example_input({"comment": "The margin does not allow it."})

    comment: Words
    step: StepKey | None = None

    def command(self) -> ask.Reject:
        return ask.Reject(comment=self.comment, step=self.step)


class ReturnBody(Input):
    """Say what is missing."""

    model_config = example_input({"comment": "Which price did the competitor offer?"})

    comment: Words
    step: StepKey | None = None

    def command(self) -> ask.Return:
        return ask.Return(comment=self.comment, step=self.step)


class CounterBody(Input):
    """Say what would be granted instead: less than what is asked for."""

    model_config = example_input({"percent": "22", "comment": "This much, for a three-year term."})

    percent: AskedPercent
    comment: Words | None = None
    step: StepKey | None = None

    def command(self) -> ask.Counter:
        return ask.Counter(percent=self.percent, comment=self.comment, step=self.step)


class AcceptBody(Input):
    """Take the counter-offer."""

    model_config = example_input({"comment": "Thank you."})

    comment: Words | None = None

    def command(self) -> ask.Accept:
        return ask.Accept(comment=self.comment)


class ResubmitBody(Input):
    """Ask again, amended; what is not given stays as it was."""

    model_config = example_input({"percent": "25", "comment": "They offered 190,000 in writing."})

    percent: AskedPercent | None = None
    reason: Reason | None = None
    comment: Words | None = None

    def command(self) -> ask.Resubmit:
        return ask.Resubmit(percent=self.percent, reason=self.reason, comment=self.comment)


class RecallBody(Input):
    """Take the request back."""

    model_config = example_input({"comment": "The customer has agreed to the list price."})

    comment: Words | None = None

    def command(self) -> ask.Recall:
        return ask.Recall(comment=self.comment)


class DelegateBody(Input):
    """Give your decision to a colleague; with `until` it comes back then."""

    model_config = example_input({"to": USER_ID, "until": "2027-01-14T09:00:00Z"})

    to: UUID
    until: Instant | None = None
    step: StepKey | None = None
