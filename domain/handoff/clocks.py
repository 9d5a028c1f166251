"""When customer success has to answer, whom the ladder tells when, and when to follow up.

Business time passes by the receiver's calendar. While nobody receives it, by that of whoever
of customer success has had the time for it first; where nobody works there, office hours in UTC.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime

from domain.approval.directory import Directory, PersonEntry
from domain.calendar import Calendar, after
from domain.handoff.state import AcceptanceClock, FollowUp, Rung
from domain.playbook_handoff import AfterWinning
from domain.principal import Action, Role, allowed
from domain.span import Span, parse_business
from domain.value import Value


class ClockQuestion(Value):
    """What has to be reckoned: the time for accepting since `waits_since`, follow-ups since `accepted_at`."""

    receiver_id: UUID | None
    waits_since: AwareDatetime | None = None
    accepted_at: AwareDatetime | None = None
    plan: AfterWinning
    at: AwareDatetime


class ClockAnswer(Value):
    """The instants (UTC); `receiver_gone` when who receives it cannot any more."""

    receiver_gone: bool = False
    clock: AcceptanceClock | None = None
    follow_ups: tuple[FollowUp, ...] | None = None


def can_receive(roles: tuple[Role, ...]) -> bool:
    """Whether somebody with these roles may be given a hand-off."""
    return Action.ACCEPT_HANDOFF in allowed(roles)


def reckon(question: ClockQuestion, directory: Directory) -> ClockAnswer:
    """The answer, for these people."""
    receiver = directory.person(question.receiver_id) if question.receiver_id is not None else None
    here = receiver is not None and receiver.active and can_receive(receiver.roles)
    people = [receiver] if here and receiver else list(directory.with_role(Role.CUSTOMER_SUCCESS))
    plan = question.plan
    return ClockAnswer(
        receiver_gone=question.receiver_id is not None and not here,
        clock=_acceptance(plan, people, question.waits_since) if question.waits_since else None,
        follow_ups=_follow_ups(plan, people, question.accepted_at) if question.accepted_at else None,
    )


def _calendar(people: list[PersonEntry], start: datetime, span: Span) -> Calendar:
    """That of whoever has had the time first."""
    calendars = [person.calendar for person in people] or [Calendar()]
    return min(calendars, key=lambda each: after(each, start, span))


def _acceptance(plan: AfterWinning, people: list[PersonEntry], since: datetime) -> AcceptanceClock:
    span = parse_business(plan.accept_within)
    calendar = _calendar(people, since, span)
    rungs = tuple(
        Rung(tell=each.tell, at=after(calendar, since, parse_business(each.after))) for each in plan.ladder
    )
    return AcceptanceClock(since=since, due_at=after(calendar, since, span), rungs=rungs)


def _follow_ups(plan: AfterWinning, people: list[PersonEntry], accepted_at: datetime) -> tuple[FollowUp, ...]:
    planned = []
    for number, each in enumerate(plan.follow_ups, start=1):
        span, grace = parse_business(each.after), parse_business(each.missed_after)
        calendar = _calendar(people, accepted_at, span)
        due_at = after(calendar, accepted_at, span)
        missed_at = after(calendar, due_at, grace)
        planned.append(
            FollowUp(
                key=f"follow-up-{number}",
                title=each.title,
                due_at=due_at,
                missed_at=missed_at,
                tell_at=after(calendar, missed_at, grace),
            )
        )
    return tuple(sorted(planned, key=lambda each: each.due_at))
