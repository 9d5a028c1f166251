"""Check-ins: logged with mood and people, a cadence of the deal's own, and its calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.calendar import Calendar
from domain.errors import DealClosed, Forbidden, InvalidInput
from domain.opportunity import commands as ask
from domain.opportunity.agenda import DueKind, agenda
from domain.opportunity.state import CheckInFor, DealPartner, Mood
from domain.principal import Side
from tests.factories import ASTER, BOREALIS, NOW, REP, SELLER, a_deal, a_lost_deal, a_won_deal, person

BERLIN = Calendar(zone="Europe/Berlin", holidays=(date(2027, 3, 8),), known_until=date(2029, 12, 31))


def test_a_check_in_says_who_was_there_how_it_felt_and_what_is_next():
    deal = a_deal().ask(
        ask.LogCheckIn(
            note="They like it.", mood=Mood.GOOD, attendees=("Ann", "Bo", "Cy"), next_step="Send the paper"
        ),
        by=SELLER,
    )
    assert deal.last == (
        "Astrid Seller checked in with Ann, Bo and Cy (good): They like it. Next step: Send the paper"
    )
    assert deal.deal.next_step == "Send the paper"
    assert deal.deal.last_check_in is not None
    assert deal.deal.last_check_in.attendees == ("Ann", "Bo", "Cy")


@pytest.mark.parametrize("by", [REP, SELLER], ids=["vendor", "partner"])
def test_either_side_sets_the_cadence_of_the_deal(by):
    deal = a_deal().ask(ask.SetCadence(every="2bd"), by=by)
    assert deal.deal.next_check_in_at == NOW + timedelta(days=1, hours=8), "so much of two working days"
    assert deal.last == f"{by.name} set the check-ins of this deal: every 2 business days."
    deal.ask(ask.LogCheckIn(note="Fine"))
    assert deal.deal.next_check_in_at == NOW + timedelta(days=1, hours=8)
    version = deal.deal.version
    assert deal.ask(ask.SetCadence(every="2bd"), by=by).deal.version == version, "nothing new, no event"


def test_without_a_cadence_of_its_own_a_deal_checks_in_as_its_stages_say():
    deal = a_deal().ask(ask.SetCadence(every="2bd")).ask(ask.SetCadence())
    assert deal.deal.next_check_in_at == NOW + timedelta(weeks=1)
    assert deal.last == "Rosa Rep set the check-ins of this deal: as the stages say."


def test_somebody_looks_after_the_check_ins():
    who = CheckInFor(person=person(REP), side=Side.VENDOR)
    deal = a_deal().ask(ask.SetCadence(every="1w", who=who))
    assert deal.last.endswith(f"every 7 days, looked after by {REP.name}.")
    [item] = [item for item in agenda(deal.deal) if item.kind is DueKind.CHECK_IN]
    assert (item.side, item.assignee_id) == (Side.VENDOR, REP.id)


@pytest.mark.parametrize(("gone", "stays"), [(ASTER, False), (BOREALIS, True)])
def test_with_their_partner_they_are_gone_and_both_sides_check_in(gone: DealPartner, stays: bool):
    who = CheckInFor(person=person(SELLER), side=Side.PARTNER, partner_id=ASTER.id)
    deal = a_deal(partners=(ASTER, BOREALIS)).ask(ask.SetCadence(every="2w", who=who))
    deal.ask(ask.RemovePartner(partner_id=gone.id))
    assert deal.deal.cadence.every == "2w"
    assert (deal.deal.cadence.who == who) is stays
    [item] = [item for item in agenda(deal.deal) if item.kind is DueKind.CHECK_IN]
    assert (item.assignee_id == SELLER.id) is stays


def test_who_looks_after_it_is_of_a_partner_of_the_deal():
    who = CheckInFor(person=person(SELLER), side=Side.PARTNER, partner_id=BOREALIS.id)
    with pytest.raises(InvalidInput, match="not on the deal"):
        a_deal().ask(ask.SetCadence(who=who))


def test_a_won_deal_has_no_check_ins():
    with pytest.raises(DealClosed):
        a_won_deal().ask(ask.SetCadence(every="1w"))


def test_a_deal_goes_by_its_calendar():
    deal = a_deal(calendar=BERLIN).ask(ask.SetCadence(every="5bd"))
    assert deal.deal.next_check_in_at == NOW + timedelta(days=8), "Monday the 8th is a holiday there"


def test_the_calendar_is_refreshed_on_purpose():
    deal = a_deal().ask(ask.RefreshCalendar(calendar=BERLIN))
    due = deal.task("confirm-budget").due_at
    assert deal.last == (
        "Rosa Rep refreshed the deal's calendar: Europe/Berlin, with holidays known until 31 December 2029."
    )
    assert deal.deal.calendar == BERLIN
    assert deal.task("confirm-budget").due_at == due, "what was promised stays"
    version = deal.deal.version
    assert deal.ask(ask.RefreshCalendar(calendar=BERLIN)).deal.version == version
    deal.ask(ask.RefreshCalendar(calendar=Calendar()))
    assert deal.last == "Rosa Rep refreshed the deal's calendar: UTC."


def test_only_the_vendor_refreshes_calendars_and_only_of_open_deals():
    with pytest.raises(Forbidden):
        a_deal().ask(ask.RefreshCalendar(calendar=BERLIN), by=SELLER)
    with pytest.raises(DealClosed):
        a_lost_deal().ask(ask.RefreshCalendar(calendar=BERLIN))
