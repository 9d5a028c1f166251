"""What may be asked of an approval. A command is a wish; the rules decide what follows."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.approval.policy import ApproverRule, PolicyRef, Steps
from domain.approval.state import Channel, Facts, Subject
from domain.opportunity.state import Note, Person, Reason
from domain.percent import Percent
from domain.principal import Actor, Side
from domain.task_template import Key
from domain.value import Input


class Submit(Input):
    """Ask for something. Who asks is the `Request`'s `by`; the steps and facts are resolved before.

    `steps` are all of the policy's; `fired` names those that this request needs, in the policy's
    order. `expires_at` is an instant in UTC.
    """

    kind: Literal["submit"] = "submit"
    id: UUID
    subject: Subject
    facts: Facts = Field(default={})
    internal_facts: tuple[str, ...] = ()
    terms: dict[str, str] = Field(default={})
    asked_for: Person | None = None
    policy: PolicyRef | None = None
    steps: Steps
    fired: tuple[str, ...]
    backup: tuple[ApproverRule, ...] = ()
    reason: Reason | None = None
    percent: Percent | None = None
    expires_at: AwareDatetime


class _Verdict(Input):
    step: Key | None = Field(
        default=None, description="The step to decide on; without it, every open step where one may."
    )


class Approve(_Verdict):
    kind: Literal["approve"] = "approve"
    comment: Note | None = None


class Reject(_Verdict):
    kind: Literal["reject"] = "reject"
    comment: Note


class Return(_Verdict):
    """Ask the requester for changes."""

    kind: Literal["return"] = "return"
    comment: Note


class Counter(_Verdict):
    """Say which percent would be granted instead: less than what is asked for."""

    kind: Literal["counter"] = "counter"
    percent: Percent
    comment: Note | None = None


class Accept(Input):
    """The requester takes the counter-offer."""

    kind: Literal["accept"] = "accept"
    comment: Note | None = None


class Resubmit(Input):
    """The requester asks again, amended: what is not given stays. Everybody decides anew."""

    kind: Literal["resubmit"] = "resubmit"
    percent: Percent | None = None
    reason: Reason | None = None
    comment: Note | None = None


class Recall(Input):
    """The requester takes the request back."""

    kind: Literal["recall"] = "recall"
    comment: Note | None = None


class Delegate(Input):
    """Whom a seat is given to."""

    id: UUID
    name: str
    side: Side

    @property
    def person(self) -> Person:
        return Person(id=self.id, name=self.name)


class DelegateSeat(Input):
    """Give one's seat on this approval to a colleague; with `until` (UTC) it comes back then."""

    kind: Literal["delegate"] = "delegate"
    to: Delegate
    until: AwareDatetime | None = None
    step: Key | None = None


Decide = Approve | Reject | Return | Counter
"""What approvers say."""

Command = Approve | Reject | Return | Counter | Accept | Resubmit | Recall | DelegateSeat
"""Every command to an approval that exists."""


class Request(Input):
    """A command, who gives it, and which version they had in mind (None: whichever is current)."""

    command: Annotated[Command, Field(discriminator="kind")]
    by: Actor
    if_version: int | None = None
    channel: Channel | None = None
