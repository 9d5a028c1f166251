"""When people are told: by their preferences, on their own clock, and what goes out together."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.notice import NoticeKind
from domain.notification.clock import end_of, is_within, next_at
from domain.notification.kinds import TITLES, Channel, Mode, default, title
from domain.notification.preferences import GATHER, Preferences, QuietHours, Timing, plan
from domain.notification.rounds import MOST_APART, Batch, Waiting, look

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(starts=time(22), ends=time(7))
MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
)


def berlin(*parts: int, fold: int = 0) -> datetime:
    """An instant by Berlin's clock; with `fold`, the second time it shows that."""
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)  # type: ignore[arg-type,misc] # year, month, day, hour, minute


instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- the strategy adds the zone
near_changes = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2027, 3, 28, 1, tzinfo=UTC),  # Berlin
            datetime(2027, 10, 31, 1, tzinfo=UTC),
            datetime(2027, 3, 14, 7, tzinfo=UTC),  # New York
            datetime(2027, 11, 7, 6, tzinfo=UTC),
            datetime(2027, 4, 3, 15, tzinfo=UTC),  # Lord Howe, half an hour
            datetime(2027, 10, 2, 15, 30, tzinfo=UTC),
            datetime(2027, 4, 4, 3, tzinfo=UTC),  # Santiago, at midnight
            datetime(2027, 9, 5, 4, tzinfo=UTC),
        ]
    ),
    st.integers(-1500, 300),
)
walls = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    ("wall", "within"),
    [
        (time(22), True),
        (time(23, 59), True),
        (time(0), True),
        (time(6, 59), True),
        (time(7), False),
        (time(21, 59), False),
    ],
)
def test_a_night_goes_over_midnight(wall: time, within: bool):
    assert is_within(wall, time(22), time(7)) is within
    assert is_within(wall, time(7), time(22)) is not within


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (berlin(2027, 1, 5, 12), berlin(2027, 1, 5, 12)),
        (berlin(2027, 1, 5, 23), berlin(2027, 1, 6, 7)),
        (berlin(2027, 1, 6, 3), berlin(2027, 1, 6, 7)),
        (berlin(2027, 3, 27, 23), berlin(2027, 3, 28, 7)),  # an hour shorter
        (berlin(2027, 10, 30, 23), berlin(2027, 10, 31, 7)),  # an hour longer
    ],
)
def test_quiet_hours_end_in_the_morning_of_the_persons_clock(at: datetime, until: datetime):
    assert end_of(BERLIN, NIGHT.starts, NIGHT.ends, at) == until


def test_a_clock_that_jumps_over_the_end_of_quiet_hours_ends_them():
    assert end_of(BERLIN, time(1), time(2, 30), berlin(2027, 3, 28, 1, 15)) == berlin(2027, 3, 28, 3)


def test_a_clock_that_is_put_back_into_quiet_hours_begins_them_again():
    between = berlin(2027, 10, 31, 2, 45)
    assert end_of(BERLIN, time(1), time(2, 30), between) == between
    again = berlin(2027, 10, 31, 2, 10, fold=1)
    assert end_of(BERLIN, time(1), time(2, 30), again) == berlin(2027, 10, 31, 2, 30, fold=1)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), walls, walls, instants | near_changes)
def test_quiet_hours_end_when_a_count_minute_by_minute_says_so(
    name: str, starts: time, ends: time, at: datetime
):
    zone, at = ZoneInfo(name), at.replace(second=0, microsecond=0)
    if starts == ends:
        return
    counted = at
    while is_within(counted.astimezone(zone).time(), starts, ends):
        counted += MINUTE
    assert end_of(zone, starts, ends, at) == counted


@pytest.mark.parametrize(
    ("after", "morning"),
    [
        (berlin(2027, 1, 5, 7), berlin(2027, 1, 5, 8)),
        (berlin(2027, 1, 5, 8), berlin(2027, 1, 6, 8)),
        (berlin(2027, 3, 27, 20), berlin(2027, 3, 28, 8)),
    ],
)
def test_the_next_morning(after: datetime, morning: datetime):
    assert next_at(BERLIN, time(8), after) == morning


def test_a_morning_that_the_clock_leaves_out_is_when_it_jumps_and_one_that_comes_twice_is_the_first():
    assert next_at(BERLIN, time(2, 30), berlin(2027, 3, 27, 12)) == berlin(2027, 3, 28, 3)
    first = next_at(BERLIN, time(2, 30), berlin(2027, 10, 30, 12))
    assert first == berlin(2027, 10, 31, 2, 30)
    assert next_at(BERLIN, time(2, 30), first) == berlin(2027, 11, 1, 2, 30)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), walls, instants | near_changes)
def test_the_next_morning_is_the_one_that_a_count_minute_by_minute_finds(
    name: str, wall: time, after: datetime
):
    zone, after = ZoneInfo(name), after.replace(second=0, microsecond=0)
    seen: dict[date, datetime] = {}
    at = (after - timedelta(days=2)).replace(minute=0)
    while at <= after + timedelta(days=3):
        local = at.astimezone(zone)
        if local.time() >= wall:
            seen.setdefault(local.date(), at)
        at += MINUTE
    # The first day of the count may have begun before it.
    mornings = sorted(seen.values())[1:]
    assert next_at(zone, wall, after) == next(each for each in mornings if each > after)


def test_every_kind_has_one_title_and_defaults_that_make_sense():
    named = [kind for names in TITLES.values() for kind in names]
    assert sorted(named) == sorted(NoticeKind)
    assert title(NoticeKind.TASK_DUE) == "A task is due"
    assert default(NoticeKind.DECISION_WANTED, Channel.MAIL) is Mode.AT_ONCE
    assert default(NoticeKind.TASK_DUE, Channel.MAIL) is Mode.DAILY
    assert default(NoticeKind.TASK_DUE, Channel.CHAT) is Mode.OFF
    assert default(NoticeKind.ESCALATED, Channel.CHAT) is Mode.AT_ONCE
    assert {default(kind, Channel.IN_APP) for kind in NoticeKind} == {Mode.AT_ONCE}


def test_choices_keep_only_what_differs_from_the_defaults():
    chosen = Preferences().chosen(NoticeKind.TASK_DUE, Channel.MAIL, Mode.OFF)
    assert chosen.mode(NoticeKind.TASK_DUE, Channel.MAIL) is Mode.OFF
    assert chosen.mode(NoticeKind.TASK_DUE, Channel.IN_APP) is Mode.AT_ONCE
    both = chosen.chosen(NoticeKind.TASK_DUE, Channel.IN_APP, Mode.OFF)
    assert both.choices == {NoticeKind.TASK_DUE: {Channel.MAIL: Mode.OFF, Channel.IN_APP: Mode.OFF}}
    one = both.chosen(NoticeKind.TASK_DUE, Channel.MAIL, Mode.DAILY)
    assert one.choices == {NoticeKind.TASK_DUE: {Channel.IN_APP: Mode.OFF}}
    assert one.chosen(NoticeKind.TASK_DUE, Channel.IN_APP, Mode.DAILY) == Preferences()


def test_preferences_that_make_no_sense_are_refused():
    for wrong in (
        {"quiet": {"starts": "22:00", "ends": "22:00"}},
        {"digest_at": "08:00:30"},
        {"digest_at": "08:00Z"},
        {"zone": "Europe/Atlantis"},
    ):
        with pytest.raises(ValidationError):
            Preferences.model_validate(wrong)


NOON, MIDNIGHT = berlin(2027, 1, 5, 12), berlin(2027, 1, 5, 0)
SLEEPER = Preferences(zone="Europe/Berlin", quiet=NIGHT)


@pytest.mark.parametrize(
    ("kind", "now", "late", "planned"),
    [
        (NoticeKind.APPROVED, NOON, False, (Timing.AT_ONCE, NOON)),
        (NoticeKind.APPROVED, MIDNIGHT, False, (Timing.TOGETHER, berlin(2027, 1, 5, 7))),
        (NoticeKind.APPROVED, NOON, True, (Timing.LATE, NOON + GATHER)),
        (NoticeKind.APPROVED, MIDNIGHT, True, (Timing.LATE, berlin(2027, 1, 5, 7))),
        (NoticeKind.TASK_DUE, NOON, False, (Timing.TOGETHER, berlin(2027, 1, 6, 8))),
        (NoticeKind.TASK_DUE, NOON, True, (Timing.TOGETHER, berlin(2027, 1, 6, 8))),
    ],
)
def test_what_is_planned(kind: NoticeKind, now: datetime, late: bool, planned: tuple[Timing, datetime]):
    assert plan(SLEEPER, kind, Channel.MAIL, now, late=late) == planned
    off = SLEEPER.chosen(kind, Channel.MAIL, Mode.OFF)
    assert plan(off, kind, Channel.MAIL, now, late=late) is None


def test_who_has_no_quiet_hours_is_told_at_any_time():
    anybody = Preferences(zone="Europe/Berlin", digest_at=time(3))
    assert plan(anybody, NoticeKind.APPROVED, Channel.MAIL, MIDNIGHT) == (Timing.AT_ONCE, MIDNIGHT)
    found = plan(anybody, NoticeKind.TASK_DUE, Channel.MAIL, NOON)
    assert found == (Timing.TOGETHER, berlin(2027, 1, 6, 3))


def test_a_daily_summary_within_quiet_hours_waits_until_they_end():
    early = SLEEPER.model_copy(update={"digest_at": time(6)})
    found = plan(early, NoticeKind.TASK_DUE, Channel.MAIL, NOON)
    assert found == (Timing.TOGETHER, berlin(2027, 1, 6, 7))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NoticeKind), instants | near_changes, st.booleans())
def test_nothing_is_planned_into_quiet_hours_or_into_the_past(kind: NoticeKind, now: datetime, late: bool):
    planned = plan(SLEEPER, kind, Channel.MAIL, now, late=late)
    assert planned is not None
    assert planned.due_at >= now
    assert not SLEEPER.is_quiet(planned.due_at)


def waiting(  # noqa: PLR0917 - a row of a table, in the order of its columns
    number: int,
    timing: Timing = Timing.AT_ONCE,
    due_at: datetime = NOON,
    channel: Channel = Channel.MAIL,
    kind: NoticeKind = NoticeKind.APPROVED,
    batch: int | None = None,
) -> Waiting:
    return Waiting(UUID(int=number), channel, kind, timing, due_at, UUID(int=batch) if batch else None)


def mail(number: int) -> Batch:
    return Batch(UUID(int=number), Channel.MAIL)


def test_where_nothing_waits_there_is_nothing_to_do():
    for preferences, now in ((Preferences(), NOON), (SLEEPER, MIDNIGHT)):
        found = look([], preferences, now)
        assert (found.batches, found.next_at, found.formed, found.dropped) == ([], None, {}, [])


def test_what_is_at_once_goes_by_itself_and_by_each_channel():
    chat = waiting(1, channel=Channel.CHAT, kind=NoticeKind.DECISION_WANTED)
    there = [waiting(1), waiting(2), chat]
    found = look(there, Preferences(), NOON)
    assert set(found.batches) == {mail(1), mail(2), Batch(UUID(int=1), Channel.CHAT)}
    assert all(len(members) == 1 for members in found.formed.values())
    assert found.next_at is None


def test_a_storm_goes_as_one():
    found = look([waiting(number) for number in range(1, MOST_APART + 2)], Preferences(), NOON)
    assert found.batches == [mail(1)]
    assert len(found.formed[mail(1)]) == MOST_APART + 1


def test_what_is_due_together_goes_together_and_the_rest_waits_for_its_time():
    there = [
        waiting(1, Timing.TOGETHER),
        waiting(2, Timing.TOGETHER),
        waiting(3, Timing.TOGETHER, NOON + MINUTE),
        waiting(4),
    ]
    found = look(there, Preferences(), NOON)
    assert found.batches == [mail(4), mail(1)] or found.batches == [mail(1), mail(4)]
    assert found.formed[mail(1)] == there[:2]
    assert found.next_at == NOON + MINUTE


def test_when_some_of_what_came_late_is_due_all_of_it_goes():
    there = [waiting(number, Timing.LATE, NOON + (number - 1) * MINUTE) for number in (1, 2, 3)]
    assert look(there, Preferences(), NOON - MINUTE).next_at == NOON
    found = look(there, Preferences(), NOON)
    assert (found.batches, found.formed[mail(1)], found.next_at) == ([mail(1)], there, None)


def test_what_was_tried_is_tried_as_it_was():
    there = [waiting(1, batch=1), waiting(2, batch=1), waiting(3)]
    found = look(there, Preferences(), NOON)
    assert found.batches == [mail(1), mail(3)]
    assert list(found.formed) == [mail(3)]


def test_in_quiet_hours_nothing_goes_out():
    there = [
        waiting(1, batch=1),
        waiting(2, due_at=MIDNIGHT),
        waiting(3, Timing.TOGETHER, berlin(2027, 1, 6, 8)),
    ]
    found = look(there, SLEEPER, MIDNIGHT)
    assert (found.batches, found.formed) == ([], {})
    assert (found.put_off, found.until) == ([there[1]], berlin(2027, 1, 5, 7))
    assert found.next_at == berlin(2027, 1, 5, 7)


def test_what_is_not_wanted_any_more_is_dropped():
    off = SLEEPER.chosen(NoticeKind.APPROVED, Channel.MAIL, Mode.OFF)
    for now in (NOON, MIDNIGHT):
        found = look([waiting(1)], off, now)
        assert (found.dropped, found.batches, found.next_at) == ([waiting(1)], [], None)


def test_a_clock_that_was_set_back_holds_up_nothing_that_is_wanted_at_once():
    assert look([waiting(1)], Preferences(), NOON - timedelta(hours=5)).batches == [mail(1)]
