"""Whom a request's events are told to, and as what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from domain.approval import events as did
from domain.approval.draft import ApprovalEntry, ApprovalOutcome
from domain.approval.state import AlarmKind, Approval
from domain.notice import LATE, Fact, Message, NoticeKind
from domain.percent import shown

Telling = tuple[NoticeKind, Iterable[UUID]]

_TOLD: dict[type, Callable[[Any, Approval], Iterator[Telling]]] = {
    did.StepOpened: lambda event, _: _to(NoticeKind.DECISION_WANTED, event.approvers),
    did.PeopleChanged: lambda event, _: _to(NoticeKind.DECISION_WANTED, event.added),
    did.SeatDelegated: lambda event, _: _to(NoticeKind.DECISION_WANTED, (event.to,)),
    did.Reminded: lambda event, _: _to(NoticeKind.DECISION_REMINDER, event.to),
    did.Escalated: lambda event, _: _to(NoticeKind.DECISION_ESCALATED, event.added),
    did.Approved: lambda _, approval: iter([(NoticeKind.APPROVED, approval.askers)]),
    did.Rejected: lambda _, approval: iter([(NoticeKind.REJECTED, approval.askers)]),
    did.Returned: lambda _, approval: iter([(NoticeKind.RETURNED, approval.askers)]),
    did.Countered: lambda _, approval: iter([(NoticeKind.COUNTERED, approval.askers)]),
    did.Recalled: lambda event, _: iter([(NoticeKind.RECALLED, event.asked)]),
    did.Withdrawn: lambda event, approval: iter([(NoticeKind.RECALLED, (*approval.askers, *event.asked))]),
    did.Expired: lambda event, approval: iter([(NoticeKind.EXPIRED, (*approval.askers, *event.asked))]),
}


def _to(kind: NoticeKind, people: Iterable[Any]) -> Iterator[Telling]:
    yield kind, [each.id for each in people]


def messages(outcome: ApprovalOutcome) -> list[Message]:
    """What to tell people of what happened; nothing to whoever did it."""
    return [message for entry in outcome.entries for message in _of(entry, outcome.approval)]


def _of(entry: ApprovalEntry, approval: Approval) -> Iterator[Message]:
    tell = _TOLD.get(type(entry.event))
    for kind, people in tell(entry.event, approval) if tell else ():
        recipients = tuple(dict.fromkeys(each for each in people if each != entry.by.id))
        if recipients:
            yield _message(entry, approval, kind, recipients)


def _message(
    entry: ApprovalEntry, approval: Approval, kind: NoticeKind, recipients: tuple[UUID, ...]
) -> Message:
    key = getattr(entry.event, "key", None) if kind.asks else None
    step = approval.step(key) if key is not None else None
    return Message(
        kind=kind,
        cause=f"{approval.id}:{entry.sequence}",
        recipients=recipients,
        title=approval.title,
        words=entry.words,
        opportunity_id=approval.subject.opportunity_id,
        approval_id=approval.id,
        step_key=key,
        round=len(approval.rounds),
        due_at=step.due_at if step is not None else None,
        facts=tuple(_facts(approval)),
        late=_is_late(entry, approval),
    )


def _is_late(entry: ApprovalEntry, approval: Approval) -> bool:
    """Whether the clock rang long after it was to, because nobody worked."""
    event = entry.event
    rang = [approval.expires_at] if isinstance(event, did.Expired) else []
    if isinstance(event, did.Reminded | did.Escalated):
        kind = AlarmKind.REMIND if isinstance(event, did.Reminded) else AlarmKind.ESCALATE
        step = approval.step(event.key)
        alarms = step.alarms if step is not None else ()
        rang = [alarm.at for alarm in alarms if alarm.kind is kind and alarm.at <= entry.at]
    return bool(rang) and entry.at - max(rang) > LATE


def _facts(approval: Approval) -> Iterator[Fact]:
    """What everybody who is told may know: nothing of costs and margins."""
    yield Fact(name="Asked by", value=approval.requester.name)
    if approval.percent is not None:
        yield Fact(name="Asked for", value=f"{shown(approval.percent)} %")
    if approval.counter is not None:
        yield Fact(name="Offered", value=f"{shown(approval.counter.percent)} %")
    if approval.reason:
        yield Fact(name="Reason", value=approval.reason)
