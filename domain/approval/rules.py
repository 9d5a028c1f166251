"""What follows from a command, and from what was found out about people: the doors to a request.

`submit` and `decide` take what people ask; `to_resolve` says for which steps the
directory has to be asked, and `resolved` takes the answer; `withdraw` is for whoever
owns the subject. Time passes in `domain.approval.agenda`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.approval import commands as ask
from domain.approval import decide_requests as requesters
from domain.approval import decide_verdicts as approvers
from domain.approval import events as did
from domain.approval.draft import ApprovalOutcome, Draft
from domain.approval.guards import still_open
from domain.approval.resolve import Judged, Resolution, Resolved, Resolving, Want, steps_of
from domain.approval.state import (
    AlarmKind,
    Approval,
    ApprovalState,
    Decision,
    Step,
    StepState,
    Verdict,
)
from domain.errors import InvalidInput
from domain.made import made
from domain.principal import SYSTEM, Actor, Side
from domain.timeline import demand_current

_VERDICTS: dict[type, Callable[[Draft, Any, Any], None]] = {
    ask.Approve: approvers.approve,
    ask.Reject: approvers.reject,
    ask.Return: approvers.return_,
    ask.Counter: approvers.counter,
    ask.DelegateSeat: approvers.delegate,
}
_REQUESTS: dict[type, Callable[[Draft, Any, Judged], None]] = {
    ask.Accept: requesters.accept,
    ask.Resubmit: requesters.resubmit,
    ask.Recall: requesters.recall,
}


def submit(command: ask.Submit, now: datetime, by: Actor) -> ApprovalOutcome:
    """A new request. Its steps wait to be opened: see `to_resolve`.

    Raises:
        InvalidInput: no step is needed, one is named that the policy does not have, or it has expired.
    """
    steps = steps_of(command.steps, command.fired)
    if not steps or len(steps) != len(set(command.fired)):
        raise InvalidInput("The steps that a request needs have to be steps of its policy.", pointer="/fired")
    if command.expires_at <= now:
        raise InvalidInput("A request expires after it is made.", pointer="/expires_at")
    approval = made(
        Approval,
        id=command.id,
        subject=command.subject,
        facts=command.facts,
        internal_facts=command.internal_facts,
        terms=command.terms,
        requester=by,
        asked_for=command.asked_for,
        policy=command.policy,
        templates=command.steps,
        backup=command.backup,
        reason=command.reason,
        percent=command.percent,
        steps=steps,
        expires_at=command.expires_at,
        submitted_at=now,
        created_at=now,
        updated_at=now,
    )
    draft = Draft(approval, now, by)
    draft.add(_submitted(approval))
    return draft.outcome()


def _submitted(approval: Approval) -> did.Submitted:
    return made(
        did.Submitted,
        what=approval.title,
        reason=approval.reason,
        percent=approval.percent,
        in_the_name_of=approval.asked_for.name if approval.asked_for else None,
        policy=approval.policy,
        steps=tuple(step.title for step in approval.steps),
        expires_at=approval.expires_at,
    )


def decide(
    approval: Approval, request: ask.Request, now: datetime, judged: Judged | None = None
) -> ApprovalOutcome:
    """The approval after the request and what happened on the way; `approval` itself stays as it is.

    `judged` is for `needs_judging` commands: the facts as they are then, and the steps they need.

    Raises:
        StaleVersion: the request had another version in mind.
        TandemError: the rule that refuses, by its class.
    """
    demand_current(approval, request.if_version)
    still_open(approval)
    draft = Draft(approval, now, request.by)
    command = request.command
    if verdict := _VERDICTS.get(type(command)):
        verdict(draft, command, request.channel)
    else:
        _REQUESTS[type(command)](draft, command, judged or _as_before(approval))
    _settle(draft)
    return draft.outcome()


def as_read(request: ask.Request, before: Approval, now: Approval) -> ask.Request:
    """The request of somebody who read `before`, where all that is new is who is asked.

    On that nobody decides, so it does not outdate what was read. Whether they still may is decided anyway.
    """
    if request.if_version != before.version:
        return request
    return request.but(if_version=now.version)


def needs_judging(command: ask.Command) -> bool:
    """Whether the facts, and which steps they need, are to be found out before it is decided."""
    return isinstance(command, ask.Accept | ask.Resubmit)


def _as_before(approval: Approval) -> Judged:
    return made(Judged, facts=approval.facts, fired=tuple(step.key for step in approval.steps))


def _settle(draft: Draft) -> None:
    """What everybody has agreed to is approved."""
    approval = draft.approval
    if approval.state is ApprovalState.PENDING and all(step.is_finished for step in approval.steps):
        comments = [
            each.comment
            for step in approval.steps
            for each in step.decisions
            if each.comment and _to_the_requester(each, draft)
        ]
        draft.add(
            made(
                did.Approved,
                what=approval.title,
                percent=approval.percent,
                policy=approval.policy,
                comment=comments[-1] if comments else None,
            )
        )


def _to_the_requester(said: Decision, draft: Draft) -> bool:
    """Whether a comment is an answer: with an offer, or with the last yes.

    Those before are between approvers.
    """
    return said.verdict is Verdict.COUNTER or (said.at, said.by.id) == (draft.now, draft.by.id)


def withdraw(approval: Approval, reason: str, now: datetime) -> ApprovalOutcome:
    """The request ends because its subject is gone; nothing, when it has ended."""
    draft = Draft(approval, now, SYSTEM)
    if approval.is_open:
        draft.add(did.Withdrawn(what=approval.title, reason=reason, asked=approval.sitting))
    return draft.outcome()


def to_resolve(approval: Approval, now: datetime, *, again: bool = False) -> Resolving | None:
    """For which steps the directory has to be asked; None for none.

    Steps whose turn has come, steps that escalate, steps whose stand-ins change by now;
    with `again` all open ones, because people changed.
    """
    if approval.state is not ApprovalState.PENDING:
        return None
    finished = {step.key for step in approval.steps if step.is_finished}
    found = [_want(approval, step, finished, now, again=again) for step in approval.steps]
    wants = tuple([want for want in found if want is not None])
    if not wants:
        return None
    return made(
        Resolving,
        wants=wants,
        facts=approval.facts,
        askers=approval.askers,
        requester_id=approval.requester.id,
        backup=approval.backup,
        at=now,
        owned=approval.subject.opportunity_id if approval.requester.side is not Side.PARTNER else None,
    )


def _want(approval: Approval, step: Step, finished: set[str], now: datetime, *, again: bool) -> Want | None:
    opens = step.state is StepState.WAITING and finished.issuperset(step.after)
    if not opens and not step.is_open:
        return None
    level = max([each.level for each in step.alarms if _rings(each, now)], default=step.level)
    stale = again or level > step.level or _passed(step.recheck_at, now)
    template = approval.template(step.key) if opens or stale else None
    if template is None:
        return None
    return made(
        Want,
        template=template,
        level=level,
        wanted=None if opens else step.wanted,
        wanted_before=step.wanted if opens and step.opened_at is not None else None,
        approvals=step.approvals,
        decided=tuple(_said(step)),
        handed=step.handed,
    )


def _said(step: Step) -> Iterator[UUID]:
    """Who has decided on the step, and whose seats are used up by that."""
    for each in step.decisions:
        yield each.by.id
        if each.stands_in_for is not None:
            yield each.stands_in_for.id


def _rings(alarm: Any, now: datetime) -> bool:
    return alarm.kind is AlarmKind.ESCALATE and not alarm.done and alarm.at <= now


def _passed(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant <= now


def resolved(approval: Approval, resolution: Resolution, now: datetime) -> ApprovalOutcome:
    """What the directory's answer leads to: steps open, escalate, or change hands.

    Where nobody is left who may decide, the request goes back to the requester: it never waits for nobody.
    """
    draft = Draft(approval, now, SYSTEM)
    for found in resolution.steps:
        step = draft.approval.step(found.key)
        if step is None or draft.approval.state is not ApprovalState.PENDING:
            continue
        if not found.enough:
            draft.add(did.Returned(what=approval.title, comment=_nobody(step), step=step.key))
        elif step.state is StepState.WAITING:
            draft.add(_opened(draft.approval, step, found))
        elif any(_rings(each, now) for each in step.alarms):
            draft.add(did.Escalated(**_seated(step, found)))
        elif (found.approvers, found.level) != (step.approvers, step.level):
            draft.add(did.PeopleChanged(**_seated(step, found)))
        elif found.recheck_at != step.recheck_at:
            draft.approval.put(step.but(recheck_at=found.recheck_at))  # no news: only when to look again
    return draft.outcome()


def _nobody(step: Step) -> str:
    return (
        f"Nobody who may decide on {step.title} is left: too few people have the roles that the policy "
        "names, apart from those who asked. An administrator can change that; then submit it again."
    )


def _opened(approval: Approval, step: Step, found: Resolved) -> did.StepOpened:
    return made(
        did.StepOpened,
        key=step.key,
        title=step.title,
        rule=step.rule,
        policy=approval.policy,
        approvers=found.approvers,
        wanted=found.wanted,
        level=found.level,
        due_at=found.due_at,
        alarms=found.alarms,
        recheck_at=found.recheck_at,
    )


def _seated(step: Step, found: Resolved) -> dict[str, Any]:
    """What events say of who may decide now, and who of them could not before."""
    known = {each.id for each in step.approvers}
    return {
        "key": step.key,
        "title": step.title,
        "level": found.level,
        "approvers": found.approvers,
        "added": tuple(each for each in found.approvers if each.id not in known),
        "recheck_at": found.recheck_at,
    }
