"""What people are told of, as they choose it: names, groups, and what holds where nobody chose."""

from __future__ import annotations

from enum import StrEnum

from domain.notice import NoticeKind


class Channel(StrEnum):
    """How somebody is told."""

    IN_APP = "in_app"
    MAIL = "mail"
    CHAT = "chat"


class Mode(StrEnum):
    """When somebody is told of a kind by a channel. In Tandem itself it is at once, or not at all."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    OFF = "off"


TITLES: dict[str, dict[NoticeKind, str]] = {
    "Decisions": {
        NoticeKind.DECISION_WANTED: "You are asked to decide",
        NoticeKind.DECISION_REMINDER: "A decision of yours is due",
        NoticeKind.DECISION_ESCALATED: "A decision came to you, because somebody else did not decide",
        NoticeKind.APPROVED: "A request is approved",
        NoticeKind.REJECTED: "A request is rejected",
        NoticeKind.RETURNED: "A request came back for changes",
        NoticeKind.COUNTERED: "A counter-offer",
        NoticeKind.RECALLED: "A request is taken back",
        NoticeKind.EXPIRED: "A request has expired",
    },
    "Work and deadlines": {
        NoticeKind.TASK_ASSIGNED: "A task is given to you",
        NoticeKind.TASK_DUE: "A task is due",
        NoticeKind.CHECK_IN_DUE: "A check-in is due",
        NoticeKind.CHECK_IN_MISSED: "A check-in was missed",
        NoticeKind.STAGE_OVERDUE: "A stage takes longer than planned",
        NoticeKind.CLOSE_NEAR: "An expected close comes near",
        NoticeKind.STALE: "A deal has gone quiet",
        NoticeKind.GRANT_ENDING: "A granted discount ends soon",
        NoticeKind.ESCALATED: "Something that others did not do came to you",
    },
    "Hand-off and after": {
        NoticeKind.HANDOFF_OFFERED: "A hand-off waits for you",
        NoticeKind.HANDOFF_RETURNED: "A hand-off came back",
        NoticeKind.HANDOFF_ACCEPTED: "A hand-off is accepted",
        NoticeKind.FOLLOW_UP_DUE: "A follow-up is due",
        NoticeKind.RENEWAL_OPENED: "A renewal was opened",
    },
    "Other": {
        NoticeKind.TRIGGERED: "A playbook tells you something",
        NoticeKind.INFORMATION: "All else",
    },
}
"""Every kind, in words, by the groups in which people choose."""

_DAILY = frozenset(
    {
        NoticeKind.TASK_DUE,
        NoticeKind.CHECK_IN_DUE,
        NoticeKind.CHECK_IN_MISSED,
        NoticeKind.STAGE_OVERDUE,
        NoticeKind.CLOSE_NEAR,
        NoticeKind.STALE,
        NoticeKind.GRANT_ENDING,
        NoticeKind.FOLLOW_UP_DUE,
    }
)
"""Mailed once a day: nothing is lost by reading it in the morning."""
_CHATTED = frozenset(
    {
        NoticeKind.DECISION_WANTED,
        NoticeKind.DECISION_REMINDER,
        NoticeKind.DECISION_ESCALATED,
        NoticeKind.TASK_ASSIGNED,
        NoticeKind.ESCALATED,
        NoticeKind.HANDOFF_OFFERED,
        NoticeKind.HANDOFF_RETURNED,
    }
)
"""Said in a chat, where somebody has given one: what waits for exactly this person."""


def title(kind: NoticeKind) -> str:
    """The kind in words."""
    return next(names[kind] for names in TITLES.values() if kind in names)


def default(kind: NoticeKind, channel: Channel) -> Mode:
    """What holds where somebody has not chosen."""
    if channel is Channel.MAIL:
        return Mode.DAILY if kind in _DAILY else Mode.AT_ONCE
    if channel is Channel.CHAT:
        return Mode.AT_ONCE if kind in _CHATTED else Mode.OFF
    return Mode.AT_ONCE
