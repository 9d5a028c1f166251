"""Notices: what somebody is told because it concerns them, in the app and by mail.

A process says what happened as a `Message`; each recipient gets one `notice` for
each cause, however often the message is repeated.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from domain.principal import Role
from domain.value import Value


class NoticeKind(StrEnum):
    """What a notice is about. The first three ask the recipient to decide."""

    DECISION_WANTED = "decision_wanted"
    DECISION_REMINDER = "decision_reminder"
    DECISION_ESCALATED = "decision_escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETURNED = "returned"
    COUNTERED = "countered"
    RECALLED = "recalled"
    EXPIRED = "expired"
    INFORMATION = "information"
    TASK_ASSIGNED = "task_assigned"
    TASK_DUE = "task_due"
    CHECK_IN_DUE = "check_in_due"
    CHECK_IN_MISSED = "check_in_missed"
    STAGE_OVERDUE = "stage_overdue"
    CLOSE_NEAR = "close_near"
    STALE = "stale"
    GRANT_ENDING = "grant_ending"
    ESCALATED = "escalated"
    TRIGGERED = "triggered"
    HANDOFF_OFFERED = "handoff_offered"
    HANDOFF_RETURNED = "handoff_returned"
    HANDOFF_ACCEPTED = "handoff_accepted"
    FOLLOW_UP_DUE = "follow_up_due"
    RENEWAL_OPENED = "renewal_opened"

    @property
    def asks(self) -> bool:
        """Whether the recipient is asked to decide, so that a mail carries a link for it."""
        return self in _ASKING


_ASKING = frozenset({NoticeKind.DECISION_WANTED, NoticeKind.DECISION_REMINDER, NoticeKind.DECISION_ESCALATED})


class DeliveryState(StrEnum):
    """How far a notice has come by mail or chat."""

    NONE = "none"
    """It is not sent: no mail server or chat is set, or the recipient does not want it."""
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """It could not be sent; it stays listed until an administrator sends it again."""
    DROPPED = "dropped"
    """When it was to be sent, it no longer concerned the recipient, or was not wanted any more."""


LATE = timedelta(hours=1)
"""What is said so much later than it was to be was missed: no worker ran. It is told with all else missed."""


class Fact(Value):
    """One line of what a recipient should know, such as Asked for: 27.5 %."""

    name: str
    value: str


class CalendarEvent(Value):
    """Something that belongs into the recipient's own calendar; mails carry it as an `.ics` file.

    `uid` stays the same when it is moved, and `sequence` rises.
    """

    uid: str
    sequence: int = 0
    title: str
    starts_at: AwareDatetime
    minutes: int = 30


class Message(Value):
    """Something to tell people. Say nothing in it that one of the recipients may not know.

    `cause` names what happened, the same each time the message is repeated, such as
    the approval's id with the sequence of its event. `title` is the thing that it is
    about ("27.5 % on ERP rollout"), `words` a sentence about what happened. A kind
    that asks needs `approval_id` and `step_key`, for the link to decide.
    """

    kind: NoticeKind
    cause: str = Field(min_length=1, max_length=200)
    recipients: tuple[UUID, ...] = ()
    managers_of: tuple[UUID, ...] = Field(default=(), description="The managers of these people.")
    partners: tuple[UUID, ...] = Field(
        default=(), description="Everybody of these partners who works on deals."
    )
    roles: tuple[Role, ...] = Field(default=(), description="The vendor's people with one of these roles.")
    title: str
    words: str
    opportunity_id: UUID | None = None
    approval_id: UUID | None = None
    step_key: str | None = None
    round: int | None = None
    """How often the request had come back when it was asked: a link to decide counts for this round only."""
    due_at: AwareDatetime | None = None
    facts: tuple[Fact, ...] = ()
    late: bool = Field(
        default=False,
        description="It fell due while no worker ran: it is told together with what else was missed.",
    )
    event: CalendarEvent | None = None
