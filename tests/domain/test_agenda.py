"""What falls due next, and what is said when it has."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from domain.opportunity import commands as ask
from domain.opportunity.agenda import DueKind, agenda
from domain.opportunity.clock import fall_due, next_due
from domain.principal import Side
from tests.factories import CLOSE, NOW, a_deal


def test_the_agenda_lists_every_deadline_the_earliest_first():
    assert [(item.kind, item.what, item.at) for item in agenda(a_deal().deal)] == [
        (DueKind.TASK, "“Confirm budget”", NOW + timedelta(days=3)),
        (DueKind.TASK, "“Share profile”", NOW + timedelta(days=5)),
        (DueKind.CHECK_IN, "A check-in with Aster Integrators", NOW + timedelta(days=7)),
        (DueKind.STAGE, "Joint qualification", NOW + timedelta(days=14)),
        (DueKind.EXPECTED_CLOSE, "The expected close", datetime.combine(CLOSE, time.max, UTC)),
    ]


def test_a_deadline_is_named_as_its_deal_has_it_whatever_others_have():
    """Instants that are equal may be written with different offsets; the name is kept as it was said."""
    berlin = timezone(timedelta(hours=1))
    names = []
    for due_at in (NOW + timedelta(days=1), (NOW + timedelta(days=1)).astimezone(berlin)):
        deal = a_deal().ask(ask.AddTask(title="Call back", side=Side.VENDOR, due_at=due_at))
        names.append(agenda(deal.deal)[0].id)
    assert [name[-6:] for name in names] == ["+00:00", "+01:00"]


def test_each_deadline_is_said_once_by_the_clock():
    deal = a_deal().later(days=6)
    assert [(entry.words, entry.by.name) for entry in deal.entries[2:]] == [
        ("“Confirm budget” was due on 4 March 2027, 09:00 UTC.", "Tandem"),
        ("“Share profile” was due on 6 March 2027, 09:00 UTC.", "Tandem"),
    ]
    assert fall_due(deal.deal, deal.now).entries == ()
    assert next_due(deal.deal) == NOW + timedelta(days=7)


def test_a_deadline_is_due_at_its_very_instant():
    due = NOW + timedelta(days=3)
    assert fall_due(a_deal().deal, due - timedelta(microseconds=1)).entries == ()
    assert len(fall_due(a_deal().deal, due).entries) == 1


def test_a_closed_task_is_not_due():
    deal = a_deal().complete("confirm-budget", "share-profile")
    assert next_due(deal.deal) == NOW + timedelta(days=7)


def test_the_expected_close_passes_at_the_end_of_its_day_in_utc():
    deal = a_deal(at="commit", expected_close=date(2027, 3, 2)).later(hours=38)
    assert deal.deal.version == deal.entries[-1].sequence
    before = deal.deal.version
    assert deal.later(hours=2).deal.version == before + 1
    assert deal.last == "The expected close was due on 2 March 2027, 23:59 UTC."


def test_a_passed_expected_close_is_not_said_again_in_the_next_stage():
    deal = a_deal(expected_close=date(2027, 3, 2)).later(days=2)
    assert deal.last.startswith("The expected close was due")
    deal.complete("confirm-budget", "share-profile").ask(ask.Advance()).later(hours=1)
    assert deal.types.count("fell_due") == 1


def test_a_new_expected_close_is_a_new_deadline():
    deal = a_deal(expected_close=date(2027, 3, 2)).later(days=2)
    deal.ask(ask.Change(expected_close=date(2027, 3, 4))).later(days=3)
    told = [entry.words for entry in deal.entries if "expected close was due" in entry.words]
    assert told == [
        "The expected close was due on 2 March 2027, 23:59 UTC.",
        "The expected close was due on 4 March 2027, 23:59 UTC.",
    ]


def test_a_deal_without_deadlines_awaits_nothing():
    deal = a_deal(at="commit", expected_close=None)
    assert agenda(deal.deal) == []
    assert next_due(deal.deal) is None


def test_a_check_in_sets_the_next_one_by_the_stages_cadence():
    deal = a_deal().later(days=2).ask(ask.LogCheckIn(note="All well"))
    assert deal.deal.next_check_in_at == deal.now + timedelta(weeks=1)


def test_a_missed_check_in_is_said_and_stays_missed_until_somebody_checks_in():
    deal = a_deal().later(days=8)
    assert deal.last == "A check-in with Aster Integrators was due on 8 March 2027, 09:00 UTC."
    assert deal.deal.next_check_in_at == NOW + timedelta(days=7)
