"""What falls due next on a hand-off, as absolute UTC instants; and what then happens by itself.

The renewal is due here as well, but a deal has to be opened for it: `fall_due` leaves that to
whoever can (`rules.renewal_opened`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.handoff import events as did
from domain.handoff.draft import Draft, HandOffOutcome
from domain.handoff.rules import settle
from domain.handoff.state import FollowUp, FollowUpState, HandOffProcess, Progress, Rung
from domain.principal import SYSTEM


def _rungs(process: HandOffProcess) -> Iterator[tuple[int, Rung]]:
    """The steps of the ladder that have still to be taken."""
    if process.progress is Progress.WAITING and process.clock is not None:
        yield from ((index, each) for index, each in enumerate(process.clock.rungs) if not each.done)


def _next_of(follow_up: FollowUp) -> datetime | None:
    """When the follow-up's clock speaks next."""
    match follow_up.state:
        case FollowUpState.PLANNED:
            return follow_up.due_at
        case FollowUpState.DUE:
            return follow_up.missed_at
        case FollowUpState.MISSED if not follow_up.told:
            return follow_up.tell_at
        case _:
            return None


def next_due(process: HandOffProcess) -> datetime | None:
    """When the clock has to speak next; None when nothing is awaited."""
    return min(_instants(process), default=None) if process.is_open else None


def _instants(process: HandOffProcess) -> Iterator[datetime]:
    yield from (each.at for _, each in _rungs(process))
    yield from (at for each in process.follow_ups if (at := _next_of(each)) is not None)
    if _may_renew(process) and (renewal := process.renewal_at) is not None:
        yield renewal


def _may_renew(process: HandOffProcess) -> bool:
    """A customer whom nobody has received has nothing to renew yet; older processes did not ask."""
    return process.is_accepted or not process.renews_once_accepted


def renewal_is_due(process: HandOffProcess, now: datetime) -> bool:
    """Whether the next deal is to be opened."""
    at = process.renewal_at
    return process.is_open and _may_renew(process) and at is not None and at <= now


def fall_due(process: HandOffProcess, now: datetime) -> HandOffOutcome:
    """What the passing of time leads to: each step of each clock once, in order."""
    draft = Draft(process, now, SYSTEM)
    if process.is_open:
        for index, rung in _rungs(process):
            if rung.at <= now:
                draft.add(_reminded(process, index, rung))
        for follow_up in process.follow_ups:
            _pass(draft, follow_up)
        settle(draft)
    return draft.outcome()


def _reminded(process: HandOffProcess, index: int, rung: Rung) -> did.Reminded:
    due_at = process.clock.due_at if process.clock else rung.at
    return did.Reminded(rung=index, tell=rung.tell, receiver=process.receiver, due_at=due_at, rung_at=rung.at)


def _pass(draft: Draft, follow_up: FollowUp) -> None:
    """Let the follow-up become due, missed and told of, as far as its time has come."""
    while (at := _next_of(follow_up)) is not None and at <= draft.now:
        draft.add(_passed(follow_up))
        follow_up = next(each for each in draft.process.follow_ups if each.key == follow_up.key)


def _passed(follow_up: FollowUp) -> did.Event:
    key, title, due_at = follow_up.key, follow_up.title, follow_up.due_at
    match follow_up.state:
        case FollowUpState.PLANNED:
            return did.FollowUpDue(key=key, title=title, due_at=due_at)
        case FollowUpState.DUE:
            return did.FollowUpMissed(key=key, title=title, due_at=due_at, missed_at=follow_up.missed_at)
        case _:
            return did.FollowUpEscalated(key=key, title=title, due_at=due_at, tell_at=follow_up.tell_at)
