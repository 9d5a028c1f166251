"""When a step reminds, escalates and expires: on the business time of who decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.approval.agenda import fall_due, next_due
from domain.approval.state import AlarmKind, ApprovalState
from domain.calendar import Calendar
from tests.approvals import ADA, DESK, DIANA, FINANCE, FRED, MONDAY, OFFICE, Game, step, without

BERLIN = Calendar(zone="Europe/Berlin")
TOKYO = Calendar(zone="Asia/Tokyo")


def working(**calendars: Calendar) -> Game:
    """The office where these people, by first name, work by a calendar of their own."""
    people = tuple(
        each.model_copy(update={"calendar": calendars.get(each.name.split()[0].lower(), Calendar())})
        for each in OFFICE.people
    )
    return Game(directory=replace(OFFICE, people=people))


def alarms(game: Game, key: str = "desk") -> list[tuple[str, int, datetime, bool]]:
    return [(each.kind.value, each.level, each.at, each.done) for each in game.step(key).alarms]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_half_then_the_escalation_then_the_backup():
    assert alarms(Game().submit(DESK)) == [
        ("remind", 0, at(2, 13), False),
        ("escalate", 1, at(2, 17), False),
        ("escalate", 2, at(3, 17), False),
    ]


def test_each_clock_rings_once():
    game = Game().submit(DESK).pass_time(timedelta(days=10))
    said = [each.event.type for each in game.entries]
    assert said == [
        "approval_requested",
        "approval_step_opened",
        "approval_reminded",
        "approval_escalated",
        "approval_escalated",
    ]
    assert [each.at for each in game.entries[2:]] == [at(2, 13), at(2, 17), at(3, 17)]
    assert game.asked() == ["Dora", "Dirk", "Dina", "Diana", "Ada"]
    assert next_due(game.approval) == game.approval.expires_at


def test_clocks_that_passed_while_nobody_looked_ring_together():
    game = Game().submit(DESK)
    game.now = at(4, 12)
    game.pass_time(timedelta())
    assert [each.event.type for each in game.entries[2:]] == ["approval_reminded", "approval_escalated"]
    assert game.asked()[3:] == ["Diana", "Ada"], "both levels at once"
    assert all(each[3] for each in alarms(game))


def test_reminders_may_be_several():
    template = step("desk", due="2bd", remind=["4bh", "1bd"])
    game = Game().submit(template)
    assert [(kind, when) for kind, _, when, _ in alarms(game)] == [
        ("remind", at(2, 13)),
        ("remind", at(2, 17)),
        ("escalate", at(3, 17)),
    ]
    assert Game().submit(step("desk", remind=[])).step().alarms[0].kind is AlarmKind.ESCALATE


def test_levels_have_times_of_their_own_and_never_come_before_the_one_before():
    to = {"role": "finance"}
    template = step("desk", due="8bh", escalate=[{"to": to, "after": "12bh"}, {"to": to, "after": "2bh"}])
    assert [when for kind, _, when, _ in alarms(Game().submit(template)) if kind == "escalate"] == [
        at(3, 13),
        at(3, 13),
        at(4, 13),
    ]


def test_where_nobody_is_left_to_ask_it_is_said_that_it_is_overdue():
    game = Game(directory=without(OFFICE, DIANA, ADA)).submit(FINANCE).pass_time(timedelta(hours=8))
    assert game.words[-1] == "Finance is overdue, and there is nobody else to ask."
    assert game.asked("finance") == ["Fred"]


def test_a_level_that_was_needed_from_the_start_has_no_clock():
    game = Game(directory=without(OFFICE, FRED)).submit(FINANCE)
    assert [(kind, level) for kind, level, _, _ in alarms(game, "finance")] == [("remind", 0)]


@pytest.mark.parametrize(
    ("needs", "due"),
    [("one", at(2, 8)), (2, at(2, 16)), ("all", at(2, 17))],
)
def test_it_is_due_when_as_many_as_have_to_agree_have_had_their_time(needs: str | int, due: datetime):
    game = working(dora=TOKYO, dirk=BERLIN)
    game.now = datetime(2026, 11, 1, 22, 0, tzinfo=UTC)  # Sunday night here, Monday at seven in Tokyo
    assert game.submit(step(needs=needs)).step().due_at == due


def test_over_a_weekend_a_holiday_and_the_end_of_summer_time():
    holiday = Calendar(zone="Europe/Berlin", holidays=(date(2026, 10, 26),))
    game = working(fred=holiday)
    game.now = datetime(2026, 10, 23, 13, 0, tzinfo=UTC)  # Friday at three, summer time
    game.submit(FINANCE, expires_at=game.now + timedelta(days=30))
    # Two hours on Friday, none on the weekend and on Monday's holiday, six on Tuesday: winter time.
    assert game.step("finance").due_at == datetime(2026, 10, 27, 14, 0, tzinfo=UTC)


def test_who_decides_in_time_silences_the_clocks():
    game = Game().submit(DESK, FINANCE).approve(FRED)
    assert game.step("finance").alarms == ()
    game.pass_time(timedelta(days=3))
    assert not [words for words in game.words if words.startswith("Finance is overdue")]


def test_undecided_it_expires_whoever_is_awaited():
    game = Game().submit(DESK).pass_time(timedelta(days=40))
    assert (game.state, game.words[-1]) == (
        ApprovalState.EXPIRED,
        "The request for 27.5 % on ERP rollout expired undecided.",
    )
    assert next_due(game.approval) is None
    assert fall_due(game.approval, game.now).entries == ()


def test_nothing_falls_due_before_its_time():
    game = Game().submit(DESK)
    assert fall_due(game.approval, MONDAY + timedelta(hours=1)).entries == ()
