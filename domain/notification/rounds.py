"""What of somebody's waiting deliveries goes out now, in which messages, and when to look again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from domain.notice import NoticeKind
from domain.notification.kinds import Channel, Mode
from domain.notification.preferences import Preferences, Timing

MOST_APART = 10
"""More than so many that are due at once go out as one message."""


class Waiting(NamedTuple):
    """A notice that waits for its delivery by a channel; with `batch_id`, in the message of that name."""

    notice_id: UUID
    channel: Channel
    kind: NoticeKind
    timing: Timing
    due_at: datetime
    batch_id: UUID | None = None


class Batch(NamedTuple):
    """What goes out as one message; its id is that of its first notice, and stays."""

    id: UUID
    channel: Channel


class Round(NamedTuple):
    """What to do with what waits: drop, put off until an instant, send; and when to look again."""

    dropped: Sequence[Waiting]
    put_off: Sequence[Waiting]
    until: datetime | None
    formed: dict[Batch, Sequence[Waiting]]
    """New messages, with what goes into each."""
    batches: Sequence[Batch]
    """All that is to be sent now, new or tried before."""
    next_at: datetime | None


def look(waiting: Sequence[Waiting], preferences: Preferences, now: datetime) -> Round:
    """One look at what waits for a person. In quiet hours nothing goes out."""
    loose = [each for each in waiting if each.batch_id is None]
    wanted = [each for each in loose if preferences.mode(each.kind, each.channel) is not Mode.OFF]
    due, later = _parted(wanted, now)
    unwanted = [each for each in loose if preferences.mode(each.kind, each.channel) is Mode.OFF]
    tried = list(dict.fromkeys(Batch(each.batch_id, each.channel) for each in waiting if each.batch_id))
    if preferences.is_quiet(now):
        until = preferences.loud(now)
        return Round(unwanted, due, until, {}, [], min([*later, until]) if later or due or tried else None)
    formed = dict(_formed(due))
    return Round(unwanted, [], None, formed, [*tried, *formed], min(later, default=None))


def _parted(wanted: Sequence[Waiting], now: datetime) -> tuple[list[Waiting], list[datetime]]:
    """What is due, and when the rest of it is. When some of what came late is due, all of it is."""
    gathered = {each.channel for each in wanted if each.timing is Timing.LATE and each.due_at <= now}
    due, later = [], []
    for each in wanted:
        late = each.timing is Timing.LATE and each.channel in gathered
        # At once is now, whatever the clock says: it may have been set back.
        if each.timing is Timing.AT_ONCE or late or each.due_at <= now:
            due.append(each)
        else:
            later.append(each.due_at)
    return due, later


def _formed(due: Sequence[Waiting]) -> Iterator[tuple[Batch, Sequence[Waiting]]]:
    """Messages of what is due: one for each that is at once, unless there are many; one for all else."""

    def group(each: Waiting) -> tuple[Channel, bool]:
        return each.channel, each.timing is Timing.AT_ONCE

    for (channel, apart), found in groupby(
        sorted(due, key=lambda each: (*group(each), each.notice_id)), group
    ):
        members = list(found)
        apart_now = apart and len(members) <= MOST_APART
        for message in [[each] for each in members] if apart_now else [members]:
            yield Batch(message[0].notice_id, channel), message
