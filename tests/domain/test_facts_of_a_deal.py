"""Changing facts, notes, check-ins, versions, and what a rule may ask about."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.errors import DealOnHold, Forbidden, InvalidInput, StaleVersion
from domain.money import Money
from domain.opportunity import commands as ask
from domain.opportunity.draft import Outcome
from domain.opportunity.facts import facts
from domain.opportunity.rules import decide
from tests.factories import (
    CLOSE,
    DESK,
    DIRECTOR,
    FINANCE,
    NOW,
    REP,
    SELLER,
    SUCCESS,
    a_deal,
    a_won_deal,
    person,
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": "ERP roll-out"}, "title from ERP rollout to ERP roll-out"),
        ({"amount": Money(amount="5", currency="EUR")}, "amount from 250,000.00 USD to 5.00 EUR"),
        ({"amount": None}, "amount from 250,000.00 USD to nothing"),
        ({"expected_close": date(2028, 1, 31)}, "expected close from 2055-09-30 to 2028-01-31"),
        ({"owner": person(DIRECTOR)}, "owner from Rosa Rep to Dirk Director"),
        ({"custom": {"region": "EMEA", "tier": "1"}}, "custom from nothing to region: EMEA, tier: 1"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(sorted(value)),
)
def test_a_change_is_told_with_before_and_after(change, sentence):
    deal = a_deal().ask(ask.Change(**change))
    assert deal.last == f"Rosa Rep changed {sentence}."
    assert {field: getattr(deal.deal, field) for field in change} == change


def test_what_is_not_given_stays_and_custom_fields_can_be_cleared():
    deal = a_deal(custom={"region": "EMEA"}).ask(ask.Change(title="New"))
    assert deal.deal.custom == {"region": "EMEA"}
    assert deal.ask(ask.Change(custom=None)).deal.custom == {}


def test_what_is_not_given_stays_also_when_the_command_is_sent():
    request = ask.Request(command=ask.Change(title="New"), by=REP)
    sent = ask.Request.model_validate_json(request.model_dump_json())
    deal = decide(a_deal().deal, sent, NOW).opportunity
    assert (deal.title, deal.owner, deal.expected_close) == ("New", person(REP), CLOSE)


def test_a_change_to_what_is_there_already_is_no_event():
    deal = a_deal().ask(ask.Change(title="ERP rollout", amount=Money(amount="250000", currency="USD")))
    assert deal.deal.version == 2


def test_a_change_survives_being_written_down():
    deal = a_deal()
    request = ask.Request(command=ask.Change(title="New", custom={"a": "b"}), by=REP)
    outcome = decide(deal.deal, request, NOW)
    again = Outcome.model_validate_json(outcome.model_dump_json())
    assert again.opportunity == outcome.opportunity
    assert again.entries[0].words == outcome.entries[0].words


def test_what_a_change_leaves_out_is_left_out_when_it_arrives():
    request = ask.Request(command=ask.Change(expected_close=None), by=REP)
    arrived = ask.Request.model_validate_json(request.model_dump_json())
    deal = decide(a_deal().deal, arrived, NOW).opportunity
    assert deal.expected_close is None
    assert (deal.title, deal.amount) == (a_deal().deal.title, a_deal().deal.amount)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"expected_close": date(9999, 12, 31)}, "/expected_close"),
        ({"expected_close": date(1900, 1, 1)}, "/expected_close"),
    ],
)
def test_a_change_that_makes_no_sense_points_to_where(change, pointer):
    with pytest.raises(InvalidInput) as refusal:
        a_deal().ask(ask.Change(**change))
    assert refusal.value.extra["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("by", [SELLER, DESK, FINANCE, SUCCESS], ids=lambda by: by.name)
def test_only_the_vendors_sales_people_change_facts(by):
    with pytest.raises(Forbidden, match="Only the vendor's sales people change the facts of a deal"):
        a_deal().ask(ask.Change(title="Mine"), by=by)


def test_facts_of_a_won_deal_can_still_be_put_right():
    assert a_won_deal().ask(ask.Change(title="ERP roll-out")).deal.title == "ERP roll-out"


@pytest.mark.parametrize("by", [REP, SELLER, DESK, FINANCE, SUCCESS], ids=lambda by: by.name)
def test_everybody_on_the_deal_writes_notes(by):
    deal = a_deal().ask(ask.AddNote(text="They liked it"), by=by)
    assert deal.last == f"{by.name} noted: They liked it"


def test_a_check_in_keeps_what_was_said_and_the_next_step():
    deal = a_deal().ask(ask.LogCheckIn(note="All well", next_step="Book the demo"), by=SELLER)
    assert deal.last == "Astrid Seller checked in: All well. Next step: Book the demo"
    deal.ask(ask.LogCheckIn(note="Still well"))
    assert deal.deal.next_step == "Book the demo"
    assert deal.deal.last_check_in.note == "Still well"


def test_the_next_check_in_is_when_people_say():
    when = NOW + timedelta(days=2)
    assert a_deal().ask(ask.LogCheckIn(note="Soon", next_at=when)).deal.next_check_in_at == when
    with pytest.raises(InvalidInput, match="The next check-in would be in the past"):
        a_deal().ask(ask.LogCheckIn(note="Soon", next_at=NOW))


def test_without_a_cadence_no_check_in_follows():
    assert a_deal(at="commit").ask(ask.LogCheckIn(note="Well")).deal.next_check_in_at is None


def test_on_hold_nobody_checks_in():
    with pytest.raises(DealOnHold):
        a_deal().ask(ask.HoldDeal(reason="freeze")).ask(ask.LogCheckIn(note="Well"))


def test_a_command_meant_for_another_version_is_refused_with_the_current_one():
    deal = a_deal()
    with pytest.raises(StaleVersion, match="it is at version 2") as refusal:
        deal.ask(ask.AddNote(text="Late"), if_version=1)
    assert refusal.value.extra == {"version": 2}
    assert deal.ask(ask.AddNote(text="In time"), if_version=2).deal.version == 3


def test_a_rule_sees_the_deal_as_plain_values():
    deal = a_deal(custom={"region": "EMEA"}).complete("confirm-budget")
    seen = facts(deal.deal)
    assert seen["deal"]["amount"] == 250000.0
    assert seen["deal"]["custom"] == {"region": "EMEA"}
    assert seen["stage"] == {"key": "qualify", "phase": "prospect", "position": 0}
    assert seen["tasks"]["confirm-budget"] == {"state": "done", "required": True, "side": "vendor"}
    assert seen["partners"] == [{"name": "Aster Integrators", "role": "reseller"}]


def test_a_rule_sees_empty_values_for_what_nobody_said():
    seen = facts(a_deal(amount=None, owner=None).deal)["deal"]
    assert (seen["amount"], seen["currency"], seen["owner"]) == (0.0, "", "")
