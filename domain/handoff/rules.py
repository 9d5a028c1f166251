"""What follows from a command, from news of the deal, and from what was found out: the doors to a hand-off.

`begin` and `hear` take what the deal tells; `decide` what people ask; `to_reckon` says whether
instants have to be reckoned, and `reckoned` takes them; `renewal_opened` is told when the next
deal is open. Time passes in `domain.handoff.agenda`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.handoff import commands as ask
from domain.handoff import decide as decisions
from domain.handoff import events as did
from domain.handoff.clocks import ClockAnswer, ClockQuestion
from domain.handoff.draft import Draft, HandOffOutcome
from domain.handoff.news import HandOffNews
from domain.handoff.state import (
    AcceptanceClock,
    EndReason,
    FollowUpState,
    HandOffProcess,
    Progress,
    handoff_id,
)
from domain.opportunity.state import Person
from domain.principal import SYSTEM, Role
from domain.timeline import demand_current

_DECISIONS: dict[type, Callable[[Draft, Any], None]] = {
    ask.Assign: decisions.assign,
    ask.LogFollowUp: decisions.log_follow_up,
    ask.SetContract: decisions.set_contract,
    ask.Close: decisions.close,
}


def begin(news: HandOffNews, now: datetime) -> HandOffOutcome:
    """A new hand-off, as the deal stands. Its clocks have still to be reckoned: see `to_reckon`."""
    process = HandOffProcess(
        id=handoff_id(news.facts.id),
        facts=news.facts,
        plan=news.plan,
        progress=Progress.PREPARING,
        since=now,
        contract_ends=news.contract_ends,
        renews_once_accepted=news.renews_once_accepted,
        created_at=now,
        updated_at=now,
    )
    draft = Draft(process, now, news.by)
    draft.add(did.Begun(title=news.facts.title, contract_ends=news.contract_ends))
    _follow(draft, news)
    return draft.outcome()


def hear(process: HandOffProcess, news: HandOffNews, now: datetime) -> HandOffOutcome:
    """What a change of the deal leads to; nothing, when it was heard before or the process has ended."""
    draft = Draft(process, now, news.by)
    if process.is_open and news.facts.version > process.facts.version:
        draft.process.facts = news.facts
        _follow(draft, news)
    return draft.outcome()


def _follow(draft: Draft, news: HandOffNews) -> None:
    """Stand where the deal says. What needs clocks is told when they are reckoned."""
    process = draft.process
    if (news.progress, news.note) == (process.progress, process.note):
        return
    match news.progress:
        case Progress.PREPARING | Progress.RETURNED:
            draft.add(
                did.SellersAwaited(progress=news.progress, owner=news.facts.owner, note=news.note), by=SYSTEM
            )
        case Progress.WAITING:
            process.progress, process.since, process.note = news.progress, draft.now, None
            process.clock = None
        case _:
            process.progress, process.since = Progress.ACCEPTED, draft.now
            process.accepted_at, process.note = news.at, news.note
            if news.by.id is not None:
                process.accepted_by = Person(id=news.by.id, name=news.by.name)
            if process.receiver is None and Role.CUSTOMER_SUCCESS in news.by.roles:
                process.receiver = process.accepted_by


def decide(process: HandOffProcess, request: ask.Request, now: datetime) -> HandOffOutcome:
    """The process after the request; `process` itself stays as it is.

    Raises:
        StaleVersion: the request had another version in mind.
        TandemError: the rule that refuses, by its class.
    """
    demand_current(process, request.if_version)
    draft = Draft(process, now, request.by)
    _DECISIONS[type(request.command)](draft, request.command)
    settle(draft)
    return draft.outcome()


def settle(draft: Draft) -> None:
    """The process ends by itself when the renewal is open and nothing more is planned."""
    process = draft.process
    if process.renewal is None or process.progress is not Progress.ACCEPTED or not process.follow_ups_planned:
        return
    given_up = (FollowUpState.MISSED, True)
    if all((each.state, each.told) == given_up for each in process.open_follow_ups()):
        draft.add(did.Closed(reason=EndReason.RENEWAL_OPENED), by=SYSTEM)


def to_reckon(process: HandOffProcess, now: datetime, *, again: bool = False) -> ClockQuestion | None:
    """Which instants have to be reckoned; None for none.

    With `again` whatever still depends on who receives it: people changed, or somebody else receives it.
    """
    waits = process.progress is Progress.WAITING and (again or process.clock is None)
    plans = process.progress is Progress.ACCEPTED and not process.follow_ups_planned
    asks = again and process.is_open and process.receiver is not None
    if not (waits or plans or asks):
        return None
    return ClockQuestion(
        receiver_id=process.receiver.id if process.receiver else None,
        waits_since=process.since if waits else None,
        accepted_at=process.accepted_at if plans else None,
        plan=process.plan,
        at=now,
    )


def reckoned(process: HandOffProcess, answer: ClockAnswer, now: datetime) -> HandOffOutcome:
    """What the instants lead to: the clock runs, moves, or follow-ups are planned."""
    draft = Draft(process, now, SYSTEM)
    if answer.receiver_gone and process.receiver is not None:
        draft.add(did.ReceiverLeft(receiver=process.receiver))
    if answer.clock is not None:
        _run(draft, answer.clock)
    if answer.follow_ups is not None and process.accepted_at is not None:
        draft.add(
            did.FollowUpsPlanned(
                follow_ups=answer.follow_ups,
                receiver=draft.process.receiver,
                accepted_by=process.accepted_by,
                accepted_at=process.accepted_at,
            )
        )
    settle(draft)
    return draft.outcome()


def _run(draft: Draft, clock: AcceptanceClock) -> None:
    """The clock begins; or goes on by another calendar, where what was said is not said again."""
    process, known = draft.process, draft.process.clock
    if known is None:
        draft.add(did.Waits(clock=clock, receiver=process.receiver))
        return
    done = {index for index, each in enumerate(known.rungs) if each.done}
    rungs = tuple(each.but(done=index in done) for index, each in enumerate(clock.rungs))
    kept = clock.but(rungs=rungs)
    if kept != known:
        draft.add(did.ClockMoved(clock=kept, receiver=process.receiver))


def renewal_opened(
    process: HandOffProcess, opportunity_id: UUID, title: str, now: datetime
) -> HandOffOutcome:
    """The next deal is open; nothing, when that was heard before or the process has ended."""
    draft = Draft(process, now, SYSTEM)
    if process.is_open and process.renewal is None and process.contract_ends is not None:
        draft.add(
            did.RenewalOpened(opportunity_id=opportunity_id, title=title, contract_ends=process.contract_ends)
        )
        settle(draft)
    return draft.outcome()
